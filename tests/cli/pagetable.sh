#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of pagetable, and its documents against the schema.
set -u
top=${srcdir:-.}
vmatlas=$PWD/vmatlas
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
fail=0

bad() { echo "$1"; fail=1; }

# status EXPECTED ARGS...
status() {
	expected=$1
	shift
	"$vmatlas" pagetable "$@" >"$work/out" 2>"$work/err"
	got=$?
	[ $got = "$expected" ] || bad "pagetable $*: exit $got, not $expected: $(cat "$work/err")"
}

# valid ARGS...: exit 0 and a document that the schema takes
valid() {
	status 0 "$@" --json
	"$top/tests/cli/validate.py" pagetable "$work/out"
	case $? in
	0) ;;
	77) echo "the schema was not checked" ;;
	*) bad "pagetable $*: see above" ;;
	esac
}

says() { grep -q -- "$1" "$work/out" || bad "$2: no '$1' in: $(cat "$work/out")"; }

valid self
valid --list-arch
valid self --entries
valid self --tree
valid self --split 0x7f0000001234 --split 4096
valid --split 0x1234 --arch x86-pae
valid self --range 0-7fffffffffff
valid self --vma '[stack]'
status 0 --list-arch
says '^arm64-64k-52 ' --list-arch
status 0 self
says '^Difference ' self
says '^deposited ' self
status 0 self --vma stack
says '\[stack\]$' '--vma with a role'
[ "$(grep -c '^ *0x' "$work/out")" = 1 ] || bad "--vma stack shows more: $(cat "$work/out")"
status 0 self --vma '[stack]'
says '^Difference *-$' '--vma: nothing to hold against VmPTE'
status 0 self --entries --vma '[stack]'
says '^0x7[0-9a-f]* pte  .* yes  .* \[stack\]$' '--entries'
status 0 self --tree
says '^      PTE .* \[stack\]$' --tree
status 0 --split 0x08049abc --arch x86
says '^| 0000100000 | 0001001001 | 101010111100 |$' '--split'
says '^|   0x020    |   0x049    |    0xabc     |$' '--split'
status 0 self --split 0
says '^  pgd entry: \(empty\|a table\)$' '--split of a process'
status 2 self --split nowhere
status 0 self --vmas
says '\[stack\]' --vmas
status 0 self --raw -o pte,path
[ "$(head -1 "$work/out")" = "PTE NAME" ] || bad "--raw -o: $(head -1 "$work/out")"

# Only maps was recorded: nothing is claimed, and nothing is zero.
mkdir "$work/maps-only"
cat /proc/self/maps >"$work/maps-only/maps"
valid --from "$work/maps-only"
grep -q '"leaves_missing": *"not-recorded"' "$work/out" || bad "no leaves_missing"
grep -q '"tables_missing": *"not-recorded"' "$work/out" || bad "no tables_missing: $(cat "$work/out")"
valid --from "$work/maps-only" --entries
valid --from "$work/maps-only" --tree
status 0 --from "$work/maps-only"
says '^Model *-\*$' 'a maps text'
grep -q '^pte' "$work/out" && bad "a maps text has a row of PTE tables"
status 3 --from "$work/maps-only" --strict
status 0 --from "$work/maps-only" --split 0x7ffff0000000
grep -q 'entry:' "$work/out" && bad "a maps text claims entries: $(cat "$work/out")"

status 2 self --arch vax
status 2 self --arch arm64-64k-48
status 0 self --arch riscv-sv48
says '^Geometry *riscv-sv48' --arch
status 2 self -o nothing
status 2
status 1 no-process-of-this-name
exit $fail
