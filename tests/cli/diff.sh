#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of diff, and its documents against the schema.
command='diff'
. "${srcdir:-.}/tests/cli/common.sh"

sleeper
one=$sleeper
sleeper
two=$sleeper

document() {
	run "$@"
	valid
}

# A process is what it is.
document 0 --json --exit-code $one $one
grep -q '"relation": "same"' "$work/out" || bad "a process is not the same as itself"
grep -q '"differs": false' "$work/out" || bad "a process differs from itself"
run 0 --exit-code $one $one
grep -q '^No difference: ' "$work/out" || bad "text of no difference: $(cat "$work/out")"
grep -q 'VMAs that changed' "$work/out" && bad "a table of nothing"
run 0 --all $one $one
grep -q '^same .*libc' "$work/out" || run 0 --all --raw -o change,role $one $one

# Two runs of a program: every VMA is matched, whatever the addresses are.
document 0 --json $one $two
grep -q '"relation": "other"' "$work/out" ||
	[ "$(cat /proc/sys/kernel/randomize_va_space)" = 0 ] || bad "two runs are not told apart"
grep -E '"change": "(added|removed|moved|grown|shrunk|split|merged)"' "$work/out" && bad "not all VMAs are matched"
document 4 --json --exit-code -o change,what,changed,class $$ $one
document 0 --json --vma stack $one $two
[ "$(grep -c '"change"' "$work/out")" -ge 1 ] || bad "--vma stack has no row"
grep -q '"role": "text"' "$work/out" && bad "--vma stack has the text, too"
run 0 --raw --no-headings -o change,path --all $one $two
grep -q '^same .*/libc' "$work/out" || grep -q '^pages .*/libc' "$work/out" || bad "--raw: $(head -3 "$work/out")"

# Texts only: VMAs are compared, pages are not.
mkdir "$work/a" "$work/b"
cat /proc/$one/maps >"$work/a/maps"
sed 's/^\([0-9a-f]*\)-\([0-9a-f]*\) r--p \(.*libc.so.6\)$/\1-\2 rw-p \3/' "$work/a/maps" >"$work/b/maps"
document 4 --json --exit-code "$work/a" "$work/b"
grep -q '"change": "protection"' "$work/out" || bad "other permissions are not seen"
grep -q '"pages_compared": null, *$\|"pages_compared": null,$' "$work/out"
grep -q '"pages_compared_missing": "not-recorded"' "$work/out" || bad "pages of a text are compared"
grep -q '"before": 0' "$work/out" && bad "what was not recorded is 0"
document 0 --json --exit-code "$work/a" "$work/a/maps"
document 0 --json --exit-code --from "$work/a" $one
run 0 "$work/a" $one
grep -q '^relation  *laid out alike: one process at two times' "$work/out" || bad "a fork is said of two texts"
grep -q 'pages was not compared: ' "$work/out" || bad "nothing says that pages were not compared"

# With smaps there are counters.
cat /proc/$one/smaps >"$work/a/smaps"
cp -r "$work/a" "$work/c"
document 0 --json --exit-code "$work/a" "$work/c"
sed -i 's/^Rss: .*/Rss:                 8192 kB/' "$work/c/smaps"
document 4 --json --exit-code "$work/a" "$work/c"
run 4 --exit-code "$work/a" "$work/c"
grep -q '^counters ' "$work/out" || bad "other counters are not listed"

# Texts of all ages and widths: names escaped, a text never differs from itself.
: >"$work/all"
for a in "$top"/fixtures/text/maps/good-*.txt; do
	for b in "$a" "$top/fixtures/text/maps/good-64bit.txt"; do
		"$vmatlas" diff --json --exit-code "$a" "$b" >>"$work/all" 2>"$work/err"
		got=$?
		[ "$a" = "$b" ] && expected=0 || expected=4
		[ $got = $expected ] || bad "diff $a $b: exit $got: $(cat "$work/err")"
	done
done
# The same of snapshots of all machines.
for manifest in "$top"/fixtures/machines/*/manifest "$top"/fixtures/recorded/*/manifest; do
	"$vmatlas" diff --json --exit-code "${manifest%/*}" "${manifest%/*}" >>"$work/all" 2>"$work/err"
	got=$?
	[ $got = 0 ] || bad "diff of ${manifest%/*} and itself: exit $got: $(cat "$work/err")"
done
mv "$work/all" "$work/out"
valid texts

# A recorded family: what a child copied is in another frame than its parent's.
set -- $(ls "$top/fixtures/recorded/fork" | grep '^[0-9]*$' | sort -n)
run 0 --json "$top/fixtures/recorded/fork:$1" "$top/fixtures/recorded/fork:$2"
grep -q '"pages": 16, .*"from": "anon-shared", "to": "anon", "frame": "other", "meaning": "copied"' "$work/out" ||
	bad "the recorded family: $(grep '"from"' "$work/out")"

# A name that is no UTF-8: its bytes are beside it on both sides.
mkdir "$work/before" "$work/after"
printf '7f0000000000-7f0000001000 r--p 00000000 08:01 7  /tmp/a\377b\n' >"$work/before/maps"
printf '7f0000000000-7f0000002000 r--p 00000000 08:01 7  /tmp/a\377b\n' >"$work/after/maps"
document 0 --json --all "$work/before" "$work/after"
[ "$(grep -o '"path_hex": "2f746d702f61ff62"' "$work/out" | wc -l)" -ge 2 ] || bad "names that are no UTF-8: $(grep path "$work/out")"

run 2 "$top/fixtures/machines/i386" "$top/fixtures/recorded/swap"
run 2 "$top/fixtures/machines/aarch64-64k" "$top/fixtures/machines/no-frames"

# Several processes on both sides: a document for each, and their sums.
"$vmatlas" record $one $two "$work/both" >"$work/out" 2>&1 || bad "record: $(cat "$work/out")"
document 0 --json --exit-code "$work/both" "$work/both"
[ "$(grep -c '"schema"' "$work/out")" = 3 ] || bad "not three documents of two processes"
document 0 --json --exit-code "$work/both:$one" $one
document 0 --json --exit-code $two "$work/both"
document 0 --json "$work/both:$one" "$work/both:$two"
grep -E '"change": "(added|removed|moved|grown|shrunk|split|merged)"' "$work/out" &&
	bad "not all VMAs of two recorded runs are matched"
run 0 "$work/both" "$work/both"
grep -q '^Of 2 processes 0 came, 0 went and 0 changed' "$work/out" || bad "no account of the family"
"$vmatlas" record $one "$work/one" >"$work/out" 2>&1 || bad "record: $(cat "$work/out")"
run 0 "$work/one" "$work/both"
run 2 $$ "$work/both"
run 1 "$work/both:1" $one

# Frames of two boots are not compared, whatever else agrees; without a name of the boot they are.
for boot in one two none; do
	cp -r "$top/fixtures/recorded/fork" "$work/boot-$boot"
	[ $boot = none ] || sed -i "s/^kernel /boot_id $boot\n&/" "$work/boot-$boot/manifest"
	run 0 --json "$work/boot-one:$1" "$work/boot-$boot:$2"
	grep -q '"frame": "same"' "$work/out" && compared=yes || compared=no
	[ $boot = two ] && expected=no || expected=yes
	[ $compared = $expected ] || bad "boots one and $boot: frames compared: $compared"
done

# Machines that are not the same.
cp -r "$work/one" "$work/other"
sed -i 's/^machine .*/machine riscv64/' "$work/other/manifest"
run 2 "$work/one" "$work/other"
grep -q 'riscv64' "$work/err" || bad "other machines: $(cat "$work/err")"
cp -r "$work/one" "$work/large"
sed -i 's/^page_size .*/page_size 65536/' "$work/large/manifest"
run 2 "$work/one" "$work/large"
grep -q 'pages of 4096 and of 65536 bytes cannot be compared' "$work/err" ||
	bad "other page sizes: $(cat "$work/err")"

run 2
run 2 $one
run 2 $one $two $$
run 2 -o nonsense $one $two
run 1 999999999 $one
run 1 "$work/nothing" $one
grep -q "$work/nothing" "$work/err" || bad "which snapshot is missing is not said"
exit $fail
