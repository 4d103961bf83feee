#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of cow, and its documents against the schema.
command=cow
. "${srcdir:-.}/tests/cli/common.sh"

document() {
	run 0 --json "$@"
	valid
}

document $$
document --pages $$
document --no-scan --pages $$
document -o start,rss $$
document --vma stack $$
document $$ self
run 0 --json self
grep -q '"changed"' "$work/out" || bad "no warning, though reading changed the reader's own map"
run 1 --range 0-1000 $$
grep -q 'no VMA is left by --range' "$work/err" || bad "an empty range: $(cat "$work/err")"
grep -q 'Copied pages by file' "$work/out" && bad "a heading above no file"
document --family $$
run 0 --family $$
grep -q 'SHARED.*HERE.*THERE' "$work/out" || bad "--family has no table"
run 0 $$
grep -q 'STATES' "$work/out" && bad "the states are shown without being asked for"
grep -q '^ *resident' "$work/out" || bad "no totals"
run 0 --states $$
grep -q 'STATES.*NEXT-WRITE' "$work/out" || bad "--states adds no column"
run 0 --pages --vma stack $$
grep -q 'anon .*in-place' "$work/out" || bad "a shell's stack has no page of its own"
run 0 --picture --color=always --vma stack $$
grep -q "$(printf '\033')\[32m" "$work/out" || bad "--picture has no colour"
run 0 --picture $$
grep -q '^  A anon$' "$work/out" || bad "--picture has no legend"
run 0 --raw -o start,end,role --vma stack $$
[ "$(grep -c stack "$work/out")" = 1 ] || bad "--vma stack is not one row"
start=$(sed -n 's/ .*stack.*//p' "$work/out")
run 0 --json --pages --range "$start+1000" $$
grep -q '"pages": *1[,}]' "$work/out" || bad "--range of one page is not one page"
run 2 -o nonsense $$

# Without pages nothing is zero: it is missing, with the reason.
cat /proc/$$/maps >"$work/maps"
document --pages "$work/maps"
grep -q '"rss": null, *"rss_missing": "not-recorded"' "$work/out" || bad "a maps text has a Rss"
grep -A20 '"totals"' "$work/out" | grep -q '": 0' && bad "what was not recorded is 0 in the totals"
grep -q '"state_missing": "not-recorded"' "$work/out" || bad "a maps text has states"

# Without frame numbers states are still told, counts and marks are not.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$work"
	cp "$vmatlas" "$work/vmatlas"
	setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '
		"$0" cow --json --pages $$ >&3; "$0" cow $$ >&4' "$work/vmatlas" \
		3>"$work/out" 4>"$work/text" || bad "cow fails without rights"
	valid 'without rights'
	for part in '"state": "anon"' '"state": "file"' '"state": "copy"' '"pss": null, *"pss_missing": "needs-privilege"' \
		'"exclusive_missing": "needs-privilege"' '"kpageflags": "needs-privilege"'; do
		grep -q "$part" "$work/out" || bad "without rights: no $part"
	done
	grep -q 'hides frame numbers' "$work/text" || bad "without rights: no account of what is missing"
fi
run 1 999999999

# Nobody who reads a recording can become root in it.
run 0 --from "$top/fixtures/machines/no-frames"
says '^-\** it was recorded without the privilege' out

# Recorded without pieces of files: nothing is said of the files themselves.
run 0 --from "$top/fixtures/machines/i386"
grep -q 'unknown reason: the snapshot does not hold what tells it' "$work/out" ||
	bad "a file that was not recorded: $(cat "$work/out")"
document --from "$top/fixtures/machines/i386"
grep -q '"not-recorded": 2' "$work/out" && ! grep -q file-gone "$work/out" || bad "a file that was not recorded has another reason"
exit $fail
