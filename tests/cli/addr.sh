#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of addr: ways to name an address, bad ones, and the document.
command=addr
. "${srcdir:-.}/tests/cli/common.sh"

# status EXPECTED ARGS...: of a call about this process, with its document in $work/out
status() {
	expected=$1
	shift
	run "$expected" self --json "$@" </dev/null
	valid
}

# get EXPRESSION: of the document, in Python, with the addresses in `a`
get() { python3 -c "import json,sys; a = json.load(open(sys.argv[1]))['addresses']; print($1)" "$work/out"; }

# holds EXPRESSION: is true of the document
holds() { [ "$(get "$1")" = True ] || bad "not true: $1: $(cat "$work/out")"; }

command -v python3 >/dev/null || { echo "skip: python3 reads the documents"; exit 77; }

# The malloc of sanitizers leaves brk alone.
heap=heap
"$vmatlas" addr self heap >/dev/null 2>&1 || heap=stack
status 0 0x10 65536 stack $heap entry main
holds "[x['query'] for x in a] == ['0x10', '65536', 'stack', '$heap', 'entry', 'main']"
holds "a[0]['address'] == '0x10' and a[1]['address'] == '0x10000'"
holds "a[0]['accesses']['read']['effect'] == 'segv-unmapped'"
holds "a[2]['vma']['role'] == 'stack' and a[3]['vma']['role'] == '$heap'"
holds "a[4]['vma']['class'] == 'C' and a[4]['elf']['address'] != a[4]['address']"
holds "a[5]['elf']['symbol'] == 'main' and a[5]['elf']['symbol_offset'] == '0x0'"
holds "a[5]['instructions'][0]['address'] == a[5]['address']"
holds "a[2]['instructions'] == []"
holds "a[2]['accesses']['execute']['effect'] == 'segv-access'"

status 0 'vmatlas!main' vmatlas!main+4 main+4
holds "a[1]['address'] == a[2]['address'] == hex(int(a[0]['address'], 16) + 4)"
holds "a[1]['elf']['symbol_offset'] == '0x4'"

# A file's offset and its address are the same place.
status 0 vmatlas!main
offset=$(get "a[0]['file_offset']")
address=$(get "a[0]['address']")
"$vmatlas" addr self --json "vmatlas+$offset" >"$work/out" 2>"$work/err" || bad "vmatlas+$offset"
holds "a[0]['elf']['symbol'] == 'main' and a[0]['file_offset'] == '$offset'"

# Whatever is wrong with one address, the others are answered.
status 2 stack 12zz stack
holds "a[1]['address'] is None and a[2]['vma']['role'] == 'stack'"
status 2 0x1ffffffffffffffff
status 2 0xqq
status 2 pc:x
status 1 no_such_symbol_here stack
holds "a[0]['address'] is None and a[1]['vma']['role'] == 'stack'"
status 1 'nofile!main'
status 1 0xffff888000000000 stack
holds "a[0]['kind'] == 'kernel' and a[0]['vma'] is None"
holds "a[0]['accesses']['write']['effect'] == 'segv-unmapped'"
if [ "$(uname -m)" = x86_64 ]; then
	status 1 0x1234567890abcdef
	holds "a[0]['kind'] == 'non-canonical'"
	grep -q 'upper bits' "$work/err" || bad "non-canonical: $(cat "$work/err")"
fi

printf 'stack 0x10\nentry\n' | "$vmatlas" addr self --json 0x20 - >"$work/out" 2>"$work/err" ||
	bad "stdin: exit $?"
holds "[x['query'] for x in a] == ['0x20', 'stack', '0x10', 'entry']"
"$vmatlas" addr self >"$work/out" 2>"$work/err"
[ $? = 2 ] || bad "no address: exit is not 2"

# A recorded maps text alone: what it cannot tell has a reason.
mkdir "$work/snapshot"
cat /proc/self/maps >"$work/snapshot/maps"
"$vmatlas" addr --from "$work/snapshot" --json stack 0x10 >"$work/out" 2>"$work/err" ||
	bad "snapshot: $(cat "$work/err")"
holds "a[0]['vma']['role'] == 'stack' and a[0]['page']['state_missing'] == 'not-recorded'"
holds "a[0]['accesses']['write']['effect'] == 'unknown'"
holds "a[0]['accesses']['execute']['effect'] == 'segv-access'"

# Without the libraries that are loaded on demand: the rest is answered, and what to install said.
# On a machine with one of them, an empty file of its name is in front.
mkdir "$work/lib"
for name in $(grep -aoE 'lib(capstone|dw)\.so\.[0-9]+' "$vmatlas" | sort -u); do
	: >"$work/lib/$name"
done
LD_LIBRARY_PATH=$work/lib "$vmatlas" addr self --json stack main >"$work/out" 2>"$work/err" ||
	bad "without libraries: exit $?: $(cat "$work/err")"
holds "a[1]['elf']['symbol'] == 'main' and a[1]['instructions'] == []"
python3 - "$work/out" <<'END' || bad "no warning names the package: $(cat "$work/out")"
import json, sys
warnings = [w for w in json.load(open(sys.argv[1]))['warnings'] if w['code'] == 'library']
sys.exit(not any('install the package libcapstone' in w['message'] for w in warnings))
END
LD_LIBRARY_PATH=$work/lib "$vmatlas" addr self stack >"$work/out" 2>"$work/err"
! grep -q 'cannot be loaded' "$work/out" "$work/err" || bad "a library is missed that was not needed"

# The same for people, without control characters of whoever asked.
"$vmatlas" addr self main "$(printf 'bad\033[31m')" >"$work/out" 2>"$work/err"
grep -q '^Symbol *main' "$work/out" || bad "the text does not name main"
! grep -q "$(printf '\033')" "$work/out" "$work/err" || bad "an escape sequence came through"
exit $fail
