#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# One program built in many ways tells where its parts lie; the map must agree on each address.
set -u
top=${srcdir:-.}
vmatlas=${VMATLAS:-./vmatlas}
cc=${CC:-cc}
work=$(mktemp -d) || exit 1
pid=
stop() { [ -z "$pid" ] || { kill "$pid"; wait "$pid"; } 2>/dev/null; pid=; }
trap 'stop; rm -rf "$work"' EXIT
fail=0
checked=0

bad() { echo "failed: $*"; fail=1; }

# start COMMAND...: runs it until it says ready; its lines are in said
start() {
	: >"$work/said"		# a word of the program before must not count
	"$@" >"$work/said" 2>&1 &
	pid=$!
	for _ in $(seq 100); do
		grep -q ready "$work/said" && return 0
		sleep 0.1
	done
	bad "$* is not ready"
	return 1
}

# want KEY KINDS: each address of that key has one of the kinds (alternatives with |)
want() {
	while read -r key address tid; do
		[ "$key" = "$1" ] || continue
		got=$("$vmatlas" map --raw --no-headings -o kind,tid --vma "$address" $pid)
		checked=$((checked + 1))
		case "|$2|" in
		*"|${got% *}|"*) ;;
		*) bad "$variant: $key at $address is ${got% *}, not $2"
		   "$vmatlas" map --raw -o range,perms,kind,reason,path --vma "$address" $pid ;;
		esac
		[ -z "$tid" ] || [ "${got#* }" = "$tid" ] || bad "$variant: $key: thread ${got#* }, not $tid"
	done <"$work/said"
}

# What is the same however the program was linked.
want_common() {
	want text C/text
	want data S/data
	want bss D/bss
	want heap D/heap
	want large D/malloc-large
	want stack P/stack
	want thread T/thread-stack
	want arena D/arena
	want memfd M/memfd
	want twin D/jit
	want shared D/anon
	want wholefile M/file
	want jit D/jit
	want anon D/anon
	want reserved G/reserved
	want sysv M/sysv
	want devzero D/anon
	want ring X/ring
	want secretmem M/secretmem
	want shm M/shm
	want huge D/anon
}

# variant NAME RODATA RELRO FLAGS...
variant() {
	variant=$1 rodata=$2 relro=$3
	shift 3
	if ! $cc -O1 -pthread -o "$work/layout" "$top/tests/live/layout.c" "$@" 2>"$work/cc"; then
		echo "not built here: $variant: $(head -n 1 "$work/cc")"
		return
	fi
	start "$work/layout" || return
	want_common
	want rodata "$rodata"
	want relro "$relro"
	! "$vmatlas" map --raw -o certainty,kind $pid | grep -q '^guess [CKS]/' ||
		bad "$variant: the program's parts are guessed"
	stop
}

# Without a process that may be looked at there is nothing to test.
"$vmatlas" map self >/dev/null || { echo "skipped: cannot map a process here"; exit 77; }

variant pie C/rodata K/relro -fPIE -pie
variant now C/rodata K/relro -fPIE -pie -Wl,-z,now
variant lazy C/rodata K/relro -fPIE -pie -Wl,-z,lazy
variant norelro C/rodata S/data -fPIE -pie -Wl,-z,norelro
variant no-pie C/rodata C/rodata -fno-PIE -no-pie
variant static C/rodata C/rodata -fno-PIE -static
variant static-pie C/rodata K/relro -fPIE -static-pie
variant separate-code C/rodata K/relro -fPIE -pie -Wl,-z,separate-code
variant noseparate-code C/text K/relro -fPIE -pie -Wl,-z,noseparate-code
variant noseparate-static C/text C/text -fno-PIE -static -Wl,-z,noseparate-code
variant textrel C/rodata 'K/relro|C/rodata' -fno-PIE -pie -Wl,-z,notext -mcmodel=large
variant huge-pages C/rodata K/relro -fPIE -pie -Wl,-z,max-page-size=0x200000
variant huge-static C/rodata C/rodata -fno-PIE -static -Wl,-z,max-page-size=0x200000
variant execstack C/rodata K/relro -fPIE -pie -Wl,-z,execstack
variant no-sections C/rodata K/relro -fPIE -pie -Wl,-s
variant lld C/rodata K/relro -fPIE -pie -fuse-ld=lld
case $(uname -m) in
x86_64) variant 32-bit C/rodata K/relro -fPIE -pie -m32 ;;
esac
variant gold C/text K/relro -fPIE -pie -fuse-ld=gold

# Without PT_GNU_STACK all that is readable is executable for i386, and neighbours merge.
variant=i386-executable
printf '.globl _start\n.data\n.long 7\n.text\n_start: movl $29, %%eax\nint $0x80\njmp _start\n' \
	>"$work/merged.s"
if [ "$(uname -m)" = x86_64 ] &&
   $cc -m32 -nostdlib -static -Wl,-z,separate-code -o "$work/merged" "$work/merged.s" 2>"$work/cc"
then
	"$work/merged" &
	pid=$!
	for _ in $(seq 50); do
		kinds=$("$vmatlas" map --raw --no-headings -o perms,kind,path $pid 2>&1)
		case $kinds in *rwxp*/merged*) break ;; esac
		sleep 0.1
	done
	echo "$kinds" | grep -q 'r-xp C/text .*/merged' || bad "$variant: no text among: $kinds"
	echo "$kinds" | grep -q 'rwxp S/data .*/merged' || bad "$variant: no data among: $kinds"
	stop
else
	echo "not built here: $variant: $(head -n 1 "$work/cc")"
fi

# The loader run as a program: the program is still the program.
variant=loader
$cc -O1 -pthread -fPIE -pie -o "$work/layout" "$top/tests/live/layout.c"
loader=$(readelf -l "$work/layout" | sed -n 's/.*program interpreter: \(.*\)]/\1/p')
if start "$loader" "$work/layout"; then
	want_common
	want relro K/relro
	"$vmatlas" map --raw -o kind,path $pid | grep -q "M/text .*ld-" || bad "the loader is not M/text"
	stop
fi

# Section headers gone: segments tell as much. e_shoff lies at 40, e_shnum and e_shstrndx at 60.
variant=no-headers
cp "$work/layout" "$work/bare"
dd if=/dev/zero of="$work/bare" bs=1 seek=40 count=8 conv=notrunc 2>/dev/null
dd if=/dev/zero of="$work/bare" bs=1 seek=60 count=4 conv=notrunc 2>/dev/null
if start "$work/bare"; then
	want_common
	want rodata C/rodata
	want relro K/relro
	stop
fi

# Another file at the path of the mapped one is never trusted silently. Who may follow map_files
# reads the mapped file itself; who may not is warned, and permissions decide.
variant=replaced
mkdir "$work/open"
chmod 755 "$work" "$work/open"
cp "$work/layout" "$work/open/replaced"
cp "$vmatlas" "$work/open/vmatlas"
as=
[ "$(id -u)" != 0 ] || as="setpriv --reuid=65534 --regid=65534 --clear-groups"
if start $as "$work/open/replaced"; then
	cp /bin/true "$work/open/other" && mv "$work/open/other" "$work/open/replaced"
	want_common
	$as "$work/open/vmatlas" map --raw --no-headings -o certainty,kind,path $pid >"$work/out" 2>"$work/err"
	grep -q 'inferred C/text .*open/replaced' "$work/out" || { bad "replaced"; cat "$work/out"; }
	grep -q 'the file on disk is not the mapped one' "$work/err" || { bad "no warning"; cat "$work/err"; }
	stop
fi

[ $checked -gt 300 ] || bad "only $checked addresses were looked at"
echo "$checked addresses"
exit $fail
