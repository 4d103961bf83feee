#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The forecast of files compiled here: counts against readelf, binding, RELRO, RELR, text
# relocations, segments to write and execute; the documents against the schema; bad operands.
set -u
top=$(cd "${srcdir:-.}" && pwd)
vmatlas=$PWD/vmatlas
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
fail=0

bad() { echo "$1"; fail=1; }

CC=${CC:-cc}
for tool in "${CC%% *}" readelf python3; do
	command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
cd "$work" || exit 99

# is TITLE FILE EXPRESSION VALUE: a member of the document d
is() {
	"$vmatlas" elf "./$2" --pages --json >doc || { bad "$1: exit $?"; return; }
	got=$(python3 -c "import json; d = json.load(open('doc')); print($3)") || bad "$1: $3"
	[ "$got" = "$4" ] || bad "$1: $3 is $got, not $4"
}

valid() {
	"$vmatlas" elf "./$1" --pages --json >doc || bad "$1: exit $?"
	"$top/tests/cli/validate.py" elf doc
	case $? in
	0) ;;
	77) echo "the schema was not checked" ;;
	*) bad "$1: see above" ;;
	esac
}

says() {	# TITLE PATTERN FILE
	"$vmatlas" elf "./$3" >out || bad "$1: exit $?"
	tr '\n' ' ' <out | grep -q -- "$2" || bad "$1: no '$2' in: $(cat out)"
}

cat >lib.c <<'END'
extern int outer(int);
extern int outer_var;
static int own[4];
int shared_word;
static int *table[2000] = { &own[0], &own[1], 0, &own[3], [1000 ... 1999] = own };
int *sym_table[] = { &outer_var, &shared_word };
const char *const names[] = { "a", "b", "c" };
char big[20000];
char small_data[5000] = { 1 };
int work(int i)
{
	return outer(i) + *table[i] + *sym_table[i] + shared_word + names[i & 1][0] + big[i];
}
END
echo 'int outer_var; int outer(int i) { return i; } extern int work(int);
int main(void) { return work(0); }' >main.c

count() { readelf -rW "$1" | grep -c "_$2 "; }

$CC -O1 -shared -fPIC -Wl,-z,relro -Wl,-z,lazy -Wl,-z,nopack-relative-relocs -o lazy.so lib.c \
	2>/dev/null || $CC -O1 -shared -fPIC -Wl,-z,relro -Wl,-z,lazy -o lazy.so lib.c || exit 99
$CC -O1 -shared -fPIC -Wl,-z,relro -Wl,-z,now -o now.so lib.c || exit 99
$CC -O1 -shared -fPIC -Wl,-z,norelro -Wl,-z,lazy -o open.so lib.c || exit 99

for f in lazy.so now.so open.so; do
	valid $f
	r="d['relocations']"
	is "relative of $f" $f "$r['relative']" "$(count $f RELATIVE)"
	is "plt of $f" $f "$r['plt']" "$(count $f JUMP_SLO[T]*)"
	is "glob_dat of $f" $f "$r['glob_dat']" "$(count $f GLOB_DAT)"
	is "all of $f" $f "$r['total']" "$(readelf -rW $f | grep -c '^[0-9a-f]\{12,\}')"
	is "pages of $f" $f "$r['pages']" "$(readelf -rW $f |
		awk '/^[0-9a-f]+ +[0-9a-f]+ +R_/ { print substr($1, 1, length($1) - 3) }' | sort -u | wc -l)"
	is "pages of $f one by one" $f \
		"sum(1 for p in d['pages'] if p['relocations']) == $r['pages']" True
	is "pages of $f, all" $f "len(d['pages']) == d['dirty'][0]['pages']" True
	is "relocations by page of $f" $f \
		"sum(p['relocations'] for p in d['pages']) >= $r['total']" True
	is "segments of $f" $f "[s['type'] for s in d['segments']].count('LOAD')" \
		"$(readelf -lW $f | grep -c '^ *LOAD ')"
	is "build-id of $f" $f "d['build_id'] or ''" \
		"$(readelf -nW $f | sed -n 's/.*Build ID: //p')"
	is "roles of $f" $f "sorted({v['role'] for v in d['predicted_vmas']} & {'text', 'data', 'bss'})" \
		"['bss', 'data', 'text']"
	is "class of $f" $f "{v['class'] for v in d['predicted_vmas']}" "{'M'}"
done
is "lazy" lazy.so "d['now']" False
is "now" now.so "d['now']" True
is "no RELRO" open.so "d['relro']" None
is "RELRO" now.so "d['relro']['start']" \
	"$(readelf -lW now.so | awk '$1 == "GNU_RELRO" { sub(/^0x0*/, "0x", $3); print $3 }')"
is "RELRO is closed" now.so \
	"[v['perms'] for v in d['predicted_vmas'] if v['role'] == 'relro']" "['r--']"
says "lazy" 'linked with -z pack-relative-relocs' lazy.so
says "lazy" 'Linked with -z now' lazy.so
says "no RELRO" 'Linked with -z relro -z now' open.so
"$vmatlas" elf ./now.so | grep -q 'Linked with -z now' && bad "-z now advised though it is"

if $CC -O1 -shared -fPIC -Wl,-z,pack-relative-relocs -o relr.so lib.c 2>/dev/null &&
   readelf -dW relr.so | grep -q RELRSZ; then
	valid relr.so
	is "RELR" relr.so "d['relocations']['relr'] == d['relocations']['relative'] > 0" True
	is "what RELR takes" lazy.so "d['relocations']['relr_bytes']" \
		"$(($(readelf -dW relr.so | awk '$2 == "(RELRSZ)" { print $3 }')))"
else
	echo "the linker has no RELR"
fi

$CC -O1 -pie -fPIE -o pie main.c now.so 2>/dev/null || exit 99
valid pie
is "program" pie "d['sort']" "position-independent program"
is "classes of a program" pie "sorted({v['class'] for v in d['predicted_vmas']})" \
	"['C', 'K', 'S']"
is "interpreter" pie "d['interpreter']" \
	"$(readelf -lW pie | sed -n 's/.*interpreter: \(.*\)]/\1/p')"
$CC -O1 -no-pie -fno-pie -static -o static main.c lib.c 2>/dev/null && {
	valid static
	is "static" static "d['sort']" "static program at a fixed address"
}

printf '\t.text\n\t.globl f\nf:\t.quad outer_var\n\t.quad f\n' >text.s
if $CC -shared -nostdlib -Wl,-z,notext -o text.so text.s 2>/dev/null; then
	valid text.so
	is "text relocations" text.so "d['textrel'], d['relocations']['text']" "True 2"
	says "text relocations" '2 relocations in code make 1 page of it private' text.so
fi
if $CC -shared -fPIC -Wl,-N -o wx.so lib.c 2>/dev/null; then
	valid wx.so
	is "write and execute" wx.so "len(d['write_execute']) > 0" \
		"$(readelf -lW wx.so | grep -q 'LOAD.* RWE ' && echo True || echo False)"
fi
$CC -shared -fPIC -Wl,-z,execstack -o stack.so lib.c 2>/dev/null && {
	is "executable stack" stack.so "d['exec_stack']" True
	says "executable stack" 'asks for an executable stack' stack.so
}
$CC -c -fPIC -o object.o lib.c
is "object file" object.o "d['sort'], d['predicted_vmas']" "object file, not loadable []"

# A process: its program.
"$vmatlas" elf self --json >doc && python3 -c "
import json
d = json.load(open('doc'))
assert d['process']['pid'] > 0 and d['file'] == d['process']['exe'], d['file']" ||
	bad "elf self"
# A name without a slash is a file if there is one and no process is called so.
"$vmatlas" elf now.so >out || bad "a name without slash: exit $?"
[ "$("$vmatlas" elf ./now.so | sed 1d)" = "$(sed 1d out)" ] || bad "now.so is not ./now.so"
cp now.so "$(cat /proc/$$/comm)" && "$vmatlas" elf "$(cat /proc/$$/comm)" >out 2>err && bad "an ambiguous name: exit 0"
grep -q 'say \./' err || bad "an ambiguous name: $(cat err)"
cp now.so 4194304 && "$vmatlas" elf 4194304 >out 2>&1 && bad "a number is no PID"
cp now.so 1 && "$vmatlas" elf 1 | sed -n 1p | grep -q '^File  *1$' && bad "a PID is a file"
"$vmatlas" elf 2>&1 | grep -q 'which file or process' || bad "elf without an operand"
"$vmatlas" elf none-of-this 2>&1 | grep -q 'no file here and no process' || bad "neither is not told"
"$vmatlas" elf ./pie ./now.so >out || bad "two files: exit $?"
[ "$(grep -c '^File ' out)" = 2 ] || bad "two files: $(cat out)"

# status EXPECTED ARGS...
status() {
	expected=$1
	shift
	"$vmatlas" elf "$@" >out 2>err
	got=$?
	[ $got = "$expected" ] || bad "elf $*: exit $got, not $expected: $(cat err)"
}
status 0 ./pie --page-size 65536
status 2 ./pie --page-size 5000
status 2
status 1 ./absent
status 1 "$top/tests/cli/elf.sh"
status 1 --from "$top/fixtures/machines/pkeys"
grep -q "4242: the snapshot does not hold its program" err || bad "a recording without files: $(cat err)"
mkfifo fifo && status 2 ./fifo
status 1 ./pie ./absent
exit $fail
