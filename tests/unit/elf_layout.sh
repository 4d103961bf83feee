#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# VMAs predicted from program headers against those that the kernel and the dynamic loader make.
set -u
dump=$PWD/tests/unit/elf_dump
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
checked=0

fail() {
	echo "failed: $*"
	failed=1
}

CC=${CC:-cc}
command -v "${CC%% *}" >/dev/null || { echo "skipped: no compiler"; exit 77; }
page=$(getconf PAGESIZE)
cd "$work" || exit 1

cat >lib.c <<'EOF'
int lib_data[3000] = { 1 };
static int lib_bss[5000];
int *const lib_relro[600] = { lib_data, lib_bss };
int lib_use(int i) { return *lib_relro[i & 1] + lib_bss[i]++; }
EOF
cat >main.c <<'EOF'
#include <stdio.h>
int data[3000] = { 1 };
int bss[40000];
int *const relro[600] = { data, bss };
#ifdef WITH_LIB
int lib_use(int);
#else
static int lib_use(int i) { return i; }
#endif
int main(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	int c;

	while ((c = getc(f)) != EOF)
		putchar(c);
	return !relro[lib_use(1) & 1];
}
EOF

# check TITLE FILE MAPS: every predicted VMA is there, and the file has no other
check() {
	"$dump" layout "$2" "$page" >predicted || { fail "$1: elf_dump"; return; }
	grep -qx 'loadable 1' predicted || { fail "$1: not loadable"; return; }
	path=$(readlink -f "$2")
	first=$(awk '$1 == "file" { print $2; exit }' predicted)
	at=$(grep " $path\$" "$3" | head -1 | cut -d- -f1)
	[ -n "$at" ] || { fail "$1: not mapped"; return; }
	bias=$((0x$at - 0x$first))
	n=0
	while read -r kind start end perms offset rest; do
		case $kind in file | hole | bss) ;; *) continue ;; esac
		range=$(printf '%08x-%08x' $((0x$start + bias)) $((0x$end + bias)))
		if [ "$kind" = bss ]; then
			# may have grown by what was mapped next to it
			grep -q "^${range%-*}-[0-9a-f]* $perms 00000000 00:00 0" "$3" ||
				fail "$1: no $kind $range $perms"
		else
			grep -q "^$range $perms $offset .* $path\$" "$3" ||
				fail "$1: no $kind $range $perms $offset"
			n=$((n + 1))
		fi
		checked=$((checked + 1))
	done <predicted
	[ "$n" = "$(grep -c " $path\$" "$3")" ] || fail "$1: $n VMAs predicted for $path"
	[ $failed = 0 ] || { cat predicted; grep -e "$path" -e 00:00 "$3"; }
}

while IFS='|' read -r title flags; do
	# shellcheck disable=SC2086
	$CC -O1 $flags -o prog main.c 2>/dev/null || { echo "no $title here"; continue; }
	./prog >maps
	check "$title" prog maps
done <<'EOF'
PIE|-pie -fPIE
no PIE|-no-pie -fno-pie
static|-static -no-pie -fno-pie
static PIE|-static-pie -fPIE
bound at start|-pie -fPIE -Wl,-z,now
no RELRO|-pie -fPIE -Wl,-z,norelro
code not apart|-pie -fPIE -Wl,-z,noseparate-code
code apart|-pie -fPIE -Wl,-z,separate-code
large alignment|-pie -fPIE -Wl,-z,max-page-size=0x200000
large alignment, no PIE|-no-pie -fno-pie -Wl,-z,max-page-size=0x200000
lld|-pie -fPIE -fuse-ld=lld
writable code|-pie -fPIE -Wl,-N
EOF

while IFS='|' read -r title flags; do
	# shellcheck disable=SC2086
	$CC -O1 -shared -fPIC $flags -o libtry.so lib.c 2>/dev/null || { echo "no $title here"; continue; }
	$CC -O1 -DWITH_LIB -o prog main.c ./libtry.so || continue
	./prog >maps
	check "library, $title" libtry.so maps
done <<'EOF'
usual|-Wl,-z,relro
bound at start|-Wl,-z,now
no RELRO|-Wl,-z,norelro
code not apart|-Wl,-z,noseparate-code
large alignment|-Wl,-z,max-page-size=0x200000
64K pages|-Wl,-z,max-page-size=0x10000
lld|-fuse-ld=lld
EOF

# the forecast of dirty pages against those of a library whose data nobody wrote
cat >quiet.c <<'EOF'
int quiet_data[20000] = { 1 };
int *quiet_bss[3000];
int *quiet_table[4000] = { quiet_data, [511] = quiet_data, [1024] = quiet_data, [3999] = quiet_data };
int *const quiet_relro[4000] = { quiet_data, [3999] = quiet_data };
int quiet(int i) { return *quiet_table[i] + *quiet_relro[i]; }
EOF
cat >look.c <<'EOF'
#include <stdio.h>
#include <string.h>
int quiet(int);
int main(void)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long kib, sum = 0;
	char line[512];
	int ours = 0;

	while (fgets(line, sizeof(line), f)) {
		if (line[0] < 'A' || line[0] > 'Z')
			ours = strstr(line, "libquiet.so") != NULL;
		else if (ours && sscanf(line, "Anonymous: %lu", &kib) == 1)
			sum += kib;
	}
	printf("%lu\n", sum);
	return quiet(0) == 77;
}
EOF
for flags in -Wl,-z,lazy -Wl,-z,now -Wl,-z,norelro -Wl,-z,max-page-size=0x10000 -fuse-ld=lld \
	-Wl,-z,pack-relative-relocs; do
	$CC -shared -fPIC $flags -o libquiet.so quiet.c 2>/dev/null &&
		$CC -o look look.c ./libquiet.so || continue
	seen=$(($(./look) * 1024 / page))
	told=$("$dump" layout libquiet.so "$page" | awk '$1 == "dirty" { print $2 }')
	[ "$seen" = "$told" ] || fail "$flags: $told dirty pages foretold, $seen seen"
	checked=$((checked + 1))
done

# the loader and libc of this very system
ldd ./prog 2>/dev/null | awk '/libc\.so/ { print $3 }' >libc
read -r libc <libc && check "libc" "$(readlink -f "$libc")" maps

# what does not fit a page size is said so
$CC -O1 -shared -fPIC -Wl,-z,max-page-size=0x1000 -o lib4k.so lib.c
"$dump" layout lib4k.so 65536 | grep -qx 'loadable 0' || fail "4K library with pages of 64K"
"$dump" layout lib4k.so 65536 | grep -q '^file' && fail "VMAs of what cannot be loaded"
$CC -O1 -shared -fPIC -Wl,-z,max-page-size=0x10000 -o lib64k.so lib.c
"$dump" layout lib64k.so 65536 | grep -qx 'loadable 1' || fail "64K library with pages of 64K"
echo "$checked VMAs checked"
exit $failed
