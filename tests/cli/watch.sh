#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of watch, its lines against the schema, and every way in which it ends.
command='watch --interval 20ms'
. "${srcdir:-.}/tests/cli/common.sh"

sleeper
one=$sleeper
sleeper
two=$sleeper

run 0 --json --count 3 $one
valid "three samples"
[ "$(wc -l <"$work/out")" = 3 ] || bad "a document is not one line"
grep -c '"sample": [123],' "$work/out" | grep -qx 3 || bad "samples are not counted"
run 0 --json --count 2 $one $two
valid "two processes"
[ "$(grep -c "\"pid\": $one," "$work/out") $(grep -c "\"pid\": $two," "$work/out")" = "2 2" ] ||
	bad "not each process has its lines"
run 0 --count 2 $one $two
grep -q "PID.*RSS" "$work/out" || bad "nothing says whose rows are whose"

# The least is read that will do: no map and no page for what status has.
run 0 --json -o rss,faults --count 2 $one
valid "cheap samples"
grep -q '"maps": "ok"' "$work/out" && bad "maps is read for rss"
tail -1 "$work/out" | grep -q '"copied": null' || bad "copied is not null where it was not asked for"
calls=$(tail -1 "$work/out" | sed 's/.*"sample_cost": {[^}]*"calls": \([0-9]*\).*/\1/')
[ "$calls" -le 12 ] || bad "a cheap sample takes $calls calls"

# Text: one line a sample, and the curve at the end.
run 0 --count 3 $one
[ "$(grep -c '^ *[0-9]*\.[0-9] ' "$work/out")" = 3 ] || bad "not three rows: $(cat "$work/out")"
grep -q '^curve  ' "$work/out" || bad "no curve"
grep -qx "rss of $one (sleep)" "$work/out" || bad "the summary does not say whose it is"
grep -q '^3 samples\.' "$work/out" || bad "no account of the cost"
LC_ALL=C run 0 --count 3 $one
LC_ALL=C grep -q '[^ -~]' "$work/out" && bad "not ASCII in the C locale"
run 0 --raw --no-headings -o rss --count 2 $one
grep -qx '[0-9]*' "$work/out" || bad "--raw: $(cat "$work/out")"

# Conditions.
run 4 --fail-if 'rss>1' $one
grep -q 'rss>1' "$work/err" || bad "which condition is met is not said"
run 4 --json --fail-if 'rss>100T' --fail-if 'vss>=1K' $one
valid "a condition that is met"
grep -q '"met": "vss>=1K"' "$work/out" || bad "the line does not say what is met"
run 0 --fail-if 'rss<1' --fail-if 'delta.rss>100M' --fail-if 'faults/s>100000' --count 3 $one
run 0 --until 'rss>1' $one
[ "$(grep -c '^ *[0-9]*\.[0-9] ' "$work/out")" = 1 ] || bad "--until does not end at once"
run 0 --until 500ms $one
[ "$(grep -c '^ *[0-9]*\.[0-9] ' "$work/out")" -ge 2 ] || bad "--until a time ends too early"
run 4 --until 'rss>1' --fail-if 'rss>1' $one

# The end of the process is told, of one and of all.
sleep 0.3 &
run 0 --json --until exit $!
valid "exit"
tail -1 "$work/out" | grep -q '"event": "exit"' || bad "the end is not told"
tail -1 "$work/out" | grep -q '"rss": null, *"rss_missing": "gone"' || bad "the dead have memory"
sleep 0.3 &
run 0 --count 40 $! $one
grep -q 'exited' "$work/out" || bad "text does not tell the end"
[ "$(grep -c "^ *[0-9.]* *$one " "$work/out")" = 40 ] || bad "the end of one ends the other"

# Another program under the same PID.
bash -c 'sleep 0.3; exec sleep 0.5' &
run 0 --json $!
valid "exec"
grep -q '"comm": "sleep".*"event": "exec".*"delta": {"rss": 0,' "$work/out" || bad "exec is not told"
sed 's/.*"elapsed_us": \([0-9]*\).*/\1/' "$work/out" | sort -nuc || bad "time goes back at exec"

# Signals end it well. A shell ignores SIGINT for what is in the background, nohup SIGHUP.
for signal in INT TERM HUP; do
	: >"$work/out"
	env --default-signal=INT,TERM,HUP "$vmatlas" watch --interval 20ms $one >"$work/out" \
		2>"$work/err" &
	watching=$!
	while [ "$(wc -l <"$work/out")" -lt 3 ]; do sleep 0.02; done
	kill -$signal $watching
	wait $watching || bad "SIG$signal: exit $?"
	grep -q '^curve ' "$work/out" || bad "SIG$signal: no summary"
done
: >"$work/out"
"$vmatlas" watch --json --interval 1h $one >"$work/out" &
watching=$!
while [ ! -s "$work/out" ]; do sleep 0.02; done
kill $watching
wait $watching || bad "while it sleeps: exit $?"
valid "ended by a signal"

# A reader that goes away ends it, without a word.
"$vmatlas" watch --json --interval 20ms $one 2>"$work/err" | head -1 >"$work/out"
[ -s "$work/err" ] && bad "a closed pipe: $(cat "$work/err")"

run 2 --interval 0 $one
run 2 --interval 5ms $one
run 2 --count 0 $one
run 2 --until soon $one
run 2 --fail-if 'nonsense>1' $one
run 2 --fail-if 'rss' $one
run 2 --curve nonsense $one
run 2 -o nonsense $one
run 2
run 2 --from /proc/self $one
run 1 999999999

# A bound that cannot be measured is no success.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$work"
	cp "$vmatlas" "$work/vmatlas"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$work/vmatlas" watch --count 1 \
		--fail-if 'copied>1G' $one >"$work/out" 2>"$work/err"
	[ $? = 1 ] || bad "a counter that may not be read does not fail"
	setpriv --reuid=65534 --regid=65534 --clear-groups sleep 600 &
	other=$!
	while ! grep -q sleep /proc/$other/comm; do sleep 0.02; done
	setpriv --reuid=65534 --regid=65534 --clear-groups "$work/vmatlas" watch --json --count 1 \
		$other >"$work/out" || bad "without frame numbers: exit $?"
	kill $other
	valid "without frame numbers"
	grep -q '"pss": [1-9]' "$work/out" || bad "no pss without frame numbers"
fi
exit $fail
