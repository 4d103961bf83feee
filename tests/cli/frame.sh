#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The frame of all commands, driven through commands that exist only for this: tests/cli/frame.
program=./tests/cli/frame command='' schema=common
. "${srcdir:-.}/tests/cli/common.sh"
frame=$program
unset NO_COLOR COLUMNS

silent() { [ ! -s "$work/$1" ] || { bad "$asked: $1 is not empty"; cat "$work/$1"; }; }

# Usage.
run 2; silent out; says Commands: err
run 0 --help; silent err; says 'show  *Rows' out
run 0 help show; says '--fail AFTER' out; says '--json' out
run 0 show --help; says 'hostile bytes' out
run 0 --version; says '^vmatlas [0-9]' out
run 0 --list-commands; [ "$(tr '\n' ' ' <"$work/out")" = "show none words vmas pick hold " ] || bad list-commands
run 0 show --list-columns; says '^size  *a size' out
says '^other  *another (--gap)$' out
[ "$(grep -c '^number' "$work/out")" = 1 ] || bad "number twice"
run 2 show --sort other self; says 'no column' err
run 0 show --sort other --gap self
run 2 show --sort size --gap self; says 'no column' err
run 0 show --list-options; says '^--fail=$' out; says '^--json$' out
run 2 shwo 1; silent out; says 'did you mean show?' err
run 2 help nope; says 'unknown command' err
run 2 show --josn 1; says 'did you mean --json?' err
run 2 show --jsno 1; says 'did you mean --json?' err
run 2 show -x 1; says 'unknown option -x' err
run 2 show --fail; says 'needs a value' err
run 2 show --json=1; says 'takes no value' err
run 2 show --color=blue; says 'auto, always or never' err
run 2 show --threads=many; says "threads takes" err
run 2 show --sort nope self; says 'no column' err
run 2 words --sort number; says 'no rows to sort' err
run 2 words --list-columns; says 'no columns' err
run 2 show -o nope self; says 'nope: no such column; there are: number size name' err
run 2 show; says 'which process' err
run 2 --json show; says 'the command comes first' err
run 2 words --range 5; says START-END err
run 2 words --range 5-5; says START-END err

# Options may follow operands, and be repeated; -- ends them.
run 0 words a --word=x b --word y -- --c
[ "$(tr '\n' ' ' <"$work/out")" = \
	"word=x word=y operand=a operand=b operand=--c range=0-ffffffffffffffff threads=0 " ] ||
	bad "words: $(cat "$work/out")"
run 0 words --range 0x1000+2000 --threads 2; says 'range=1000-3000 threads=2' out
run 0 words --range 7f00-0x8000; says 'range=7f00-8000' out

# Formats of the same rows.
run 0 show self --sort=-number
[ "$(sed -n 2p "$work/out")" = '     2   2M row\x1b 2' ] || bad "text: $(cat "$work/out")"
run 0 show --raw --no-headings -o size,name self
[ "$(cat "$work/out")" = '0 row\x1b\x200
1048576 row\x1b\x201
2097152 row\x1b\x202' ] || bad "raw: $(cat "$work/out")"
run 0 show --pairs --rows 1 self
[ "$(cat "$work/out")" = 'NUMBER="0" SIZE="0" NAME="row\x1b 0"' ] || bad "pairs: $(cat "$work/out")"
run 0 show --bytes -o +name self; says ' 1048576 ' out
run 0 show --color=always self; says '\[1m' out
run 0 show --color=auto self; ! grep -q "$(printf '\033')" "$work/out" || bad "colour in a pipe"

# JSON: whole, in several documents, and after a failure half-way.
run 0 show --json self; valid
run 0 show --json --gap self; says '"size_missing": "needs-privilege"' out; valid
run 0 none --json; says '"process": null' out; says '"access": null' out; valid
run 1 show --json --fail 2 self
valid
says '"code": "gone"' out
[ "$(cat "$work/err")" = 'vmatlas: item\x1b: ended half-way' ] || bad "err: $(cat "$work/err")"
run 1 show --raw --fail 1 self; says 'NUMBER SIZE NAME' out
[ "$(cat "$work/err")" = 'vmatlas: item\x1b: ended half-way' ] || bad "told twice: $(cat "$work/err")"
run 1 show --fail 1 self; says '^! item.x1b: ended half-way' out
run 0 show --json --rows 9000 self; valid
run 0 show --json -o name self; ! grep -q '"number"' "$work/out" || bad "-o does not limit JSON"

# Exit codes.
run 0 show --gap self; says '^-\* \(needs more privilege\|refused to root too\)' out
run 3 show --gap --strict self
run 0 show --strict self
run 4 show --exit-code self
run 1 show 2147483647; silent out; says '^vmatlas: ' err
run 1 show 0
run 1 show no-such-name-; says 'no process has this name' err
run 1 show self 2147483647; says 'row' out
run 1 show --from "$work/nothing"; says 'vmatlas: ' err
run 1 show "$work/nothing"; says 'nothing' err

# Names: one, and more than one.
cp "$(command -v sleep)" "$work/vmatlas-frame" 2>/dev/null
"$work/vmatlas-frame" 60 & sleeper=$!
started=$sleeper
name=$(cat /proc/$sleeper/comm)
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ "$name" = vmatlas-frame ] && break
	sleep 0.1
	name=$(cat /proc/$sleeper/comm)
done
run 0 show --json vmatlas-frame; says "\"pid\": $sleeper" out
"$work/vmatlas-frame" 60 & sleeper="$sleeper $!"
started=$sleeper
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ "$(cat "/proc/$!/comm")" = vmatlas-frame ] && break
	sleep 0.1
done
run 1 show vmatlas-frame; silent out; says '2 processes have this name' err
for pid in $sleeper; do says "^ *$pid vmatlas-frame" err; done

# A snapshot.
mkdir "$work/snapshot"
cat /proc/self/maps >"$work/snapshot/maps"
run 0 show --json --from "$work/snapshot"; says '"kind": "snapshot"' out; valid
run 0 show --json "$work/snapshot"; says '"kind": "snapshot"' out

# The model: the process object, --vma and --range, and what has no address space.
run 2 pick --vma '[stack]' $$; says '--vma and --range do not go with pick' err
run 0 vmas --json --vma '[stack]' self; says '"\[stack\]"' out; valid
says '"comm": "frame"' out
says '"start_time": [1-9]' out
[ "$(grep -c '^  "' "$work/out")" = 1 ] || bad "--vma [stack]: $(cat "$work/out")"
run 0 vmas --vma 'libc.so*' self; says '/libc.so' out; ! grep -q stack "$work/out" || bad "--vma libc"
range=$(sed -n 's/ .*\[stack\]$//p' "/proc/$$/maps")
run 0 vmas --range "$range" $$; [ "$(cat "$work/out")" = '  [stack]' ] || bad "--range $range"
run 0 vmas --vma "0x${range%-*}" $$; [ "$(cat "$work/out")" = '  [stack]' ] || bad "--vma ADDR"
run 0 vmas --vma '[stack]' $$ self
[ "$(cat "$work/out")" = '  [stack]

  [stack]' ] || bad "two processes: $(cat "$work/out")"
if [ "$(cat /proc/2/comm 2>/dev/null)" = kthreadd ]; then
	run 1 vmas 2; silent out
	run 1 vmas --json 2; says 'vmatlas: 2: ' err; says '"pid": 2' out; valid
fi

# Output that cannot be written is a failure; a closed pipe is a quiet one.
if [ -w /dev/full ]; then
	"$frame" show self >/dev/full 2>"$work/err"; [ $? = 1 ] || bad "full disk: exit $?"
	says 'output: write failed' err
	"$frame" show --rows 9000 --json self >/dev/full 2>"$work/err"; [ $? = 1 ] || bad "full disk"
	[ "$(wc -l <"$work/err")" = 1 ] || bad "full disk: $(cat "$work/err")"
fi
"$frame" show --rows 90000 self 2>"$work/err" | head -n 1 >/dev/null; silent err
(trap '' PIPE; "$frame" show --rows 90000 self 2>"$work/err" | head -n 1 >/dev/null); silent err

# Outside UTF-8 nothing above ASCII comes out, and libsmartcols ends.
LC_ALL=C timeout 20 "$frame" show self >"$work/out" || bad "LC_ALL=C"
! LC_ALL=C grep -q '[^ -~]' "$work/out" || bad "bytes outside ASCII under LC_ALL=C"

exit $fail
