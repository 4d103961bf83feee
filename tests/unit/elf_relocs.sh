#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Dynamic relocations against readelf: place, type and symbol of each, for every machine that
# the compilers here can link for; packed forms; binding; text relocations.
set -u
dump=$PWD/tests/unit/elf_dump
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
compared=0

fail() {
	echo "failed: $*"
	failed=1
}

CC=${CC:-cc}
for tool in "${CC%% *}" readelf; do
	command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
cd "$work" || exit 1

cat >r.c <<'EOF'
extern int outer(int);
extern int outer_var;
extern __thread int outer_tls;
static int own[4];
int shared_word;
static int *table[200] = { &own[0], &own[1], 0, &own[3], [64] = own, own, own, [199] = own };
int *sym_table[] = { &outer_var, &shared_word };
int (*pointer)(int) = outer;
int work(int i) { return outer(i) + *table[i] + *sym_table[i] + outer_tls + shared_word; }
EOF
cat >main.c <<'EOF'
extern int environ_like[];
extern char **environ;
int *own_table[] = { environ_like };
int environ_like[3000] = { 1 };
int main(void) { return !environ + environ_like[2]; }
EOF

# readelf's relocations, sorted: place type symbol. MIPS64 spreads types over three lines.
want() {
	readelf -rW "$1" 2>/dev/null | awk '
		/^Relocation section/ { relr = ($3 ~ /relr/) }
		relr && /^[0-9a-f]+$/ { printf "%016s relr -\n", $1 }
		!relr && $3 ~ /^R_/ { name = NF > 4 ? $5 : "-"
			sub(/R_386_JUMP/, "R_386_JMP", $3)
			sub(/@.*/, "", name); printf "%016s %s %s\n", $1, $3, name }' |
		sed 's/^ */0000000000000000/; s/^0*\([0-9a-f]\{16\}\) /\1 /' | sort -u
}

compare() {	# TITLE FILE
	"$dump" relocs "$2" >raw || { fail "$1: elf_dump"; return; }
	grep -qx 'damage none' raw || fail "$1: $(grep damage raw)"
	# entries of a MIPS GOT are in no table
	grep -v -e '^damage' -e ' ? ' raw | grep -v 'R_MIPS_NONE' | sed 's/@.*//' | sort -u >got
	want "$2" >expected
	[ -s expected ] || fail "$1: readelf found nothing"
	cmp -s got expected || { fail "$1: differs from readelf"; diff got expected | head -6; }
	compared=$((compared + 1))
}

count() { "$dump" counts "$1" | awk -v k="$2" '$1 == k { print $2 }'; }
is() {	# TITLE FILE KEY VALUE
	v=$(count "$2" "$3")
	[ "$v" = "$4" ] || fail "$1: $3 is $v, not $4"
}

$CC -O1 -shared -fPIC -o lib.so r.c || exit 1
compare "library" lib.so
is "library" lib.so relative "$(readelf -rW lib.so | grep -c '_RELATIVE ')"
is "library" lib.so plt "$(readelf -rW lib.so | grep -c JUMP_SLOT)"
is "library" lib.so glob-dat "$(readelf -rW lib.so | grep -c GLOB_DAT)"
is "library" lib.so now 0

$CC -O1 -shared -fPIC -Wl,-z,now -o now.so r.c
is "bound at start" now.so now 1

# places on distinct pages, from readelf
pages=$(readelf -rW lib.so | awk '$3 ~ /^R_/ { print substr($1, 1, length($1) - 3) }' | sort -u | wc -l)
[ "$("$dump" counts lib.so | awk '$1 == "pages" { print $2 }')" = "$pages" ] || fail "pages of 4K"

if $CC -O1 -shared -fPIC -Wl,-z,pack-relative-relocs -o relr.so r.c 2>/dev/null &&
   readelf -dW relr.so | grep -q RELRSZ; then
	compare "RELR" relr.so
	is "RELR" relr.so relative "$(readelf -rW relr.so | grep -c '^[0-9a-f]\{16\}$')"
	[ "$(count lib.so relative)" = "$(count relr.so relative)" ] || fail "RELR: other count"
	# the estimate is what the linker made of it
	is "estimate" lib.so relr-bytes $((0x$(readelf -SW relr.so |
		sed 's/^ *\[ *//' | awk '$2 == ".relr.dyn" { print $6 }')))
fi

# the same from program headers alone
cp lib.so nohdr.so
printf '\0\0\0\0\0\0\0\0' | dd of=nohdr.so bs=1 seek=40 conv=notrunc 2>/dev/null
printf '\0\0\0\0' | dd of=nohdr.so bs=1 seek=60 conv=notrunc 2>/dev/null
"$dump" relocs lib.so >with
"$dump" relocs nohdr.so >without
cmp -s with without || fail "without section headers"

# what lands in a range
"$dump" relocs lib.so | awk '/RELATIVE/ { print $1; exit }' >first
read -r place <first
[ "$("$dump" landing lib.so "$place" "$(printf '%x' $((0x$place + 1)))" | wc -l)" = 1 ] ||
	fail "first byte of a place"
last=$(printf '%x' $((0x$place + 7)))
"$dump" landing lib.so "$last" "$(printf '%x' $((0x$last + 1)))" | grep -q "^$place 8 relative" ||
	fail "last byte of a place"

# a program at fixed addresses: COPY with the size of its variable
$CC -O1 -no-pie -fno-pie -o fixed main.c && compare "no-PIE program" fixed
is "no-PIE program" fixed copy "$(readelf -rW fixed | grep -c '_COPY ')"
is "no-PIE program" fixed pie 0
$CC -O1 -pie -fPIE -o pie main.c && is "PIE program" pie pie 1
$CC -O1 -static -o static main.c 2>/dev/null &&
	is "static program" static irelative "$(readelf -rW static | grep -c '_IRELATIV')"

# text relocations
cat >text.s <<'EOF'
	.text
	.globl f
f:	.quad outer_var
	.quad f
EOF
if $CC -shared -nostdlib -Wl,-z,notext -o text.so text.s 2>/dev/null; then
	is "text relocations" text.so textrel 1
	is "text relocations" text.so text 2
fi

$CC -m32 -O1 -shared -fPIC -nostdlib -o lib32.so r.c 2>/dev/null && compare "32 bit" lib32.so

# every machine that clang and lld can link for
if command -v clang >/dev/null && command -v ld.lld >/dev/null; then
	for t in aarch64-linux-gnu arm-linux-gnueabi riscv64-linux-gnu riscv32-linux-gnu \
		powerpc64le-linux-gnu powerpc64-linux-gnu powerpc-linux-gnu mips-linux-gnu \
		mipsel-linux-gnu mips64-linux-gnuabi64 mips64el-linux-gnuabi64 i386-linux-gnu; do
		clang --target=$t -fuse-ld=lld -nostdlib -shared -fPIC -O1 -o "$t.so" r.c \
			2>/dev/null && compare "$t" "$t.so"
	done
	# entries of the GOT that MIPS loaders fill without being told
	dynamic() { readelf -dW "$1" | awk -v k="($2)" '$2 == k { print $3 }'; }
	if [ -f mips64el-linux-gnuabi64.so ]; then
		f=mips64el-linux-gnuabi64.so
		is "MIPS GOT" $f table-mips-got $(($(dynamic $f MIPS_LOCAL_GOTNO) - 2 +
			$(dynamic $f MIPS_SYMTABNO) - $(dynamic $f MIPS_GOTSYM)))
	fi
	for pack in android android+relr; do
		lld="clang -fuse-ld=lld -nostdlib -shared -fPIC -O1 r.c"
		$lld -o plain.so && $lld -Wl,--pack-dyn-relocs=$pack -o packed.so || continue
		"$dump" relocs plain.so | awk '{ print $3 }' | sort >a
		"$dump" relocs packed.so | awk '{ print $3 }' | sort >b
		cmp -s a b || { fail "packed $pack"; diff a b | head -5; }
		[ "$(count plain.so relative)" = "$(count packed.so relative)" ] || fail "$pack count"
		[ $(($(count packed.so table-android) + $(count packed.so table-relr))) -ge 5 ] ||
			fail "$pack: not packed"
	done
fi
echo "compared $compared files with readelf"
exit $failed
