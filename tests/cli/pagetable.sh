#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of pagetable, and its documents against the schema.
command=pagetable
. "${srcdir:-.}/tests/cli/common.sh"

document() {
	run 0 "$@" --json
	valid
}

document self
document --list-arch
document self --entries
document self --tree
document self --split 0x7f0000001234 --split 4096
document --split 0x1234 --arch x86-pae
document self --range 0-7fffffffffff
document self --vma '[stack]'
run 0 --list-arch
says '^arm64-64k-52 ' out
run 0 self
says '^Difference ' out
says '^deposited ' out
run 0 self --vma stack
says '\[stack\]$' out
[ "$(grep -c '^ *0x' "$work/out")" = 1 ] || bad "--vma stack shows more: $(cat "$work/out")"
run 0 self --vma '[stack]'
says '^Difference *-$' out
run 0 self --entries --vma '[stack]'
says '^0x7[0-9a-f]* pte  .* yes  .* \[stack\]$' out
run 0 self --tree
says '^      PTE .* \[stack\]$' out
run 0 --split 0x08049abc --arch x86
says '^| 0000100000 | 0001001001 | 101010111100 |$' out
says '^|   0x020    |   0x049    |    0xabc     |$' out
run 0 self --split 0
says '^  pgd entry: \(empty\|a table\)$' out
run 2 self --split nowhere
run 0 self --vmas
says '\[stack\]' out
run 0 self --raw -o pte,path
[ "$(head -1 "$work/out")" = "PTE PATH" ] || bad "--raw -o: $(head -1 "$work/out")"

# Only maps was recorded: nothing is claimed, and nothing is zero.
mkdir "$work/maps-only"
cat /proc/self/maps >"$work/maps-only/maps"
document --from "$work/maps-only"
grep -q '"leaves_missing": *"not-recorded"' "$work/out" || bad "no leaves_missing"
grep -q '"tables_missing": *"not-recorded"' "$work/out" || bad "no tables_missing: $(cat "$work/out")"
document --from "$work/maps-only" --entries
document --from "$work/maps-only" --tree
run 0 --from "$work/maps-only"
says '^Model *-\*$' out
grep -q '^pte' "$work/out" && bad "a maps text has a row of PTE tables"
run 3 --from "$work/maps-only" --strict
run 0 --from "$work/maps-only" --split 0x7ffff0000000
grep -q 'entry:' "$work/out" && bad "a maps text claims entries: $(cat "$work/out")"

run 2 self --arch vax
run 2 self --arch arm64-64k-48
run 0 self --arch riscv-sv48
says '^Geometry *riscv-sv48' out
run 2 self -o nothing
run 2
run 1 no-process-of-this-name
exit $fail
