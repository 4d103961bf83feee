#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Symbols against readelf: full, stripped, without section headers, with a separate debug file.
set -u
dump=$PWD/tests/unit/elf_dump
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
	echo "failed: $*"
	failed=1
}

CC=${CC:-cc}
for tool in "${CC%% *}" readelf strip objcopy c++filt; do
	command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done

cat >"$work/a.c" <<'EOF'
int table[100] = { 1 };
static int hidden_word = 7;
int zeroed[50];
int twin(int v) { return v + hidden_word; }
int other_name(int v) __attribute__((alias("twin")));
static __attribute__((noinline)) int hidden_function(int v) { return v * hidden_word++; }
int exported(int v) { return hidden_function(v) + table[v] + zeroed[v]; }
__thread int per_thread;
__asm__(".text\n.globl label\nlabel:\n.fill 16, 1, 0x90\n");
EOF
cat >"$work/b.cc" <<'EOF'
#include <map>
#include <string>
namespace place { template <class T> T twice(T v) { return v + v; } template int twice<int>(int); }
std::map<std::string, int> words;
void count(const std::string &w) { words[w]++; }
EOF
cd "$work" || exit 1
$CC -g -O1 -shared -fPIC -Wl,--build-id=sha1 -o liba.so a.c || exit 1

# what readelf says of names of memory: address size type name
symbols_of() {
	readelf -W "$1" "$2" 2>/dev/null | awk '
		$4 ~ /^(FUNC|OBJECT|NOTYPE|IFUNC)$/ && $7 !~ /^(UND|ABS|COM)$/ && $8 != "" {
			sub(/@.*/, "", $8)
			printf "%s %d %s %s\n", $2, $3, $4, $8 }' | sort -u
}

compare() {	# TITLE ORIGIN FILE WANT [PATH]
	"$dump" symbols "$3" ${5:+"$5"} >got.raw || fail "$1: elf_dump"
	grep -qx "origin $2" got.raw || fail "$1: $(head -1 got.raw), not $2"
	sed -e '/^origin/d' -e '/^damage/d' -e 's/@.*//' got.raw | sort -u >got
	cmp -s got "$4" || { fail "$1: differs from readelf"; diff got "$4" | head -5; }
	[ -s "$4" ] || fail "$1: readelf found nothing"
}

symbols_of -s liba.so >want.all
readelf -W --dyn-syms liba.so >/dev/null && symbols_of --dyn-syms liba.so >want.dyn
grep -q hidden_function want.all || fail "no static function in .symtab"
compare "full" symtab liba.so want.all

strip -o stripped.so liba.so
compare "stripped" dynsym stripped.so want.dyn

# without section headers: e_shoff, e_shnum and e_shstrndx zeroed
cut_headers() {
	cp "$1" "$2"
	printf '\0\0\0\0\0\0\0\0' | dd of="$2" bs=1 seek=40 conv=notrunc 2>/dev/null
	printf '\0\0\0\0' | dd of="$2" bs=1 seek=60 conv=notrunc 2>/dev/null
}
cut_headers stripped.so nohdr.so
compare "no section headers, GNU hash" dynsym nohdr.so want.dyn
$CC -g -O1 -shared -fPIC -Wl,--hash-style=sysv -o libsysv.so a.c
cut_headers libsysv.so nohdr2.so
symbols_of --dyn-syms libsysv.so >want.sysv
compare "no section headers, SysV hash" dynsym nohdr2.so want.sysv

# separate debug file by .gnu_debuglink, beside the file and in .debug
objcopy --only-keep-debug liba.so liba.debug
objcopy --strip-all --add-gnu-debuglink=liba.debug liba.so linked.so
compare "debuglink" debug-file linked.so want.all "$work/linked.so"
mkdir .debug && mv liba.debug .debug/
compare "debuglink in .debug" debug-file linked.so want.all "$work/linked.so"
printf 'x' >>.debug/liba.debug
compare "debuglink with another checksum" dynsym linked.so want.dyn "$work/linked.so"

# by build-id under the debug root, and one there that belongs to another file
id=$(readelf -n liba.so | awk '/Build ID/ { print $3 }')
folder=root/usr/lib/debug/.build-id/$(printf '%.2s' "$id")
mkdir -p "$folder"
objcopy --only-keep-debug liba.so "$folder/${id#??}.debug"
ELF_DUMP_ROOT=$work/root compare "build-id" debug-file stripped.so want.all
objcopy --only-keep-debug libsysv.so "$folder/${id#??}.debug"
ELF_DUMP_ROOT=$work/root compare "build-id of another file" dynsym stripped.so want.dyn

# lookups
address() { awk -v n="$1" '$4 == n { print $1; exit }' want.all; }
plus() { printf '%x' $((0x$1 + $2)); }
a=$(address table)
[ "$("$dump" at liba.so "$(plus "$a" 10)")" = "$(plus "$a" 10) table+a" ] || fail "at table+10"
a=$(address label)
[ "$("$dump" at liba.so "$(plus "$a" 4)")" = "$(plus "$a" 4) label+4 near" ] || fail "at label+4"
[ "$("$dump" at liba.so fffffff0)" = "fffffff0 -" ] || fail "at an address of nothing"
a=$(address twin)
case $("$dump" at liba.so "$a") in
*" twin+0" | *" other_name+0") ;;
*) fail "at an alias" ;;
esac
[ "$("$dump" named liba.so hidden_word | wc -l)" = 1 ] || fail "named hidden_word"
[ "$("$dump" named liba.so hidden_word@@VERSION | wc -l)" = 1 ] || fail "named with a version"
"$dump" named liba.so nothing_like_it && fail "named nothing"
a=$(address table)
"$dump" at liba.so "$(plus "$a" 399)" | grep -q ' table+18f$' || fail "at its end"
"$dump" at liba.so "$(plus "$a" 400)" | grep -q ' table' && fail "at what is behind it"

# source lines as addr2line says them; also from a separate debug file
if command -v addr2line >/dev/null; then
	for f in twin exported hidden_function; do
		a=$(address $f)
		addr2line -e liba.so "$a"
	done | sed 's/ (.*//; s|.*/||' >lines.want
	addresses="$(address twin) $(address exported) $(address hidden_function)"
	# shellcheck disable=SC2086
	"$dump" line liba.so $addresses | sed '/^damage/d; s|.*/||' >lines.got
	cmp -s lines.want lines.got || { fail "lines"; diff lines.want lines.got; }
	grep -q '^a\.c:[1-9]' lines.got || fail "no lines at all"
	objcopy --only-keep-debug liba.so "$folder/${id#??}.debug"
	# shellcheck disable=SC2086
	ELF_DUMP_ROOT=$work/root "$dump" line stripped.so $addresses |
		sed '/^damage/d; s|.*/||' >lines.got
	cmp -s lines.want lines.got || { fail "lines of a debug file"; diff lines.want lines.got; }
	# debug information that is noise: no answer, no crash
	at=$((0x$(readelf -SW liba.so | sed 's/^ *\[ *//' | awk '$2 == ".debug_info" { print $5 }')))
	cp liba.so noise.so
	dd if=/dev/urandom of=noise.so bs=1 seek=$at count=300 conv=notrunc 2>/dev/null
	# shellcheck disable=SC2086
	"$dump" line noise.so $addresses >lines.got || fail "lines of noise"
fi

# C++ names as c++filt says them
if ${CXX:-c++} -g -O1 -shared -fPIC -o libb.so b.cc 2>/dev/null; then
	"$dump" demangle libb.so >names.got
	cut -d' ' -f1 names.got | sed 's/@.*//' | c++filt | sort >names.want
	cut -d' ' -f2- names.got | sort >names.have
	cmp -s names.have names.want || { fail "demangled"; diff names.have names.want | head -5; }
	grep -q 'int place::twice<int>(int)' names.have || fail "no template name"
fi
# a name that doubles forty times: it stays as it is, and the others are said all the same
awk 'BEGIN {
	digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	name = "_Z1f1AIiiE"
	for (i = 0; i < 40; i++) {
		id = i < 36 ? substr(digits, i + 1, 1) : "1" substr(digits, i - 35, 1)
		name = name "S_IS" id "_S" id "_E"
	}
	print "\t.text\n\t.globl _Z5firstv\n_Z5firstv:\n\tnop\n\t.globl " name "\n" name ":\n\tnop"
	print "\t.globl _Z4lastv\n_Z4lastv:\n\tnop"
}' >bomb.s
if $CC -shared -nostdlib -o bomb.so bomb.s 2>/dev/null && [ -n "$(command -v c++filt)" ]; then
	timeout 20 "$dump" demangle bomb.so | cut -d' ' -f2- >bomb.got || fail "a name that unfolds"
	printf 'first()\nlast()\n' | cmp -s - bomb.got || { fail "names around it"; cat bomb.got; }
fi
exit $failed
