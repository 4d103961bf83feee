#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Options and documents of ps, and recorded processes.
command='ps'
. "${srcdir:-.}/tests/cli/common.sh"

run 2 --top 0; says 'a number from 1' err
run 2 --top many
run 2 --sort nope; says 'no column' err
run 2 -o nope; says 'no such column' err
run 1 2147483647; says 'no process' err
run 1 --tree self --name 'not the name'
run 0 --json; valid; says '"ledger"' out
run 0 --json --tree $$; valid; ! grep -q '"ledger"' "$work/out" || bad "a ledger of a part"
run 0 --json --no-ledger; valid; ! grep -q '"ledger"' "$work/out" || bad "--no-ledger"
run 0 --json -o "$("$vmatlas" ps --list-columns | sed 's/ .*//' | paste -sd, -)" $$; valid
says "\"pid\": $$," out
run 1 --json $$ 2147483647; valid; says "\"pid\": $$," out
run 0 --top 1; [ "$(grep -c '^ *[0-9]' "$work/out")" = 1 ] || bad "--top 1: $(cat "$work/out")"
says '^In all' out; says '^MemTotal ' out; says '^not accounted for' out
run 0 --raw --no-headings -o pid,comm $$; says "^$$ " out; [ "$(wc -l <"$work/out")" = 1 ] || bad raw
run 0 --pairs -o pid,vss $$; says "^PID=\"$$\" VSS=\"[0-9]*\"$" out
# eval in a shell that goes on: UID and PPID cannot be set there, and PATH is needed.
"$vmatlas" ps --pairs -o pid,uid,ppid,comm $$ >"$work/out"
sh -c 'set -e; eval "$(cat "$1")"; [ "$PID" = "$2" ] && [ "$VM_PPID" -gt 0 ] && [ -n "$VM_UID" ]; ls / >/dev/null' - "$work/out" $$ ||
	bad "pairs cannot be evaluated: $(cat "$work/out")"
LC_ALL=C run 0 $$; ! LC_ALL=C grep -q '[^ -~]' "$work/out" || bad "bytes outside ASCII"
[ "$(wc -L <"$work/out")" -le 80 ] || bad "wider than 80 columns: $(cat "$work/out")"

# OpenMetrics: a strict reader takes it, and not what is wrong with it.
metrics() { python3 "$top/tests/tools/openmetrics.py" "$1"; }
if command -v python3 >/dev/null; then
	run 2 --openmetrics --json; says 'a format of its own' err
	run 0 --openmetrics; metrics "$work/out" || bad "the metrics"
	run 0 --openmetrics --top 2; metrics "$work/out" || bad "the metrics of --top"
	[ "$(grep -c '^vmatlas_process_threads{' "$work/out")" = 2 ] || bad "--top of metrics"
	says '^vmatlas_machine_memory_bytes{use="free"} [0-9]*$' out
	! grep -q 'set=' "$work/out" || bad "all processes have a set"
	run 0 --openmetrics --set-name host --top 1; says '^vmatlas_set_processes{set="host"} ' out
	says '^vmatlas_machine_memory_bytes{use="free"} [0-9]*$' out
	run 0 --openmetrics $$; metrics "$work/out" || bad "the metrics of one"
	says "^vmatlas_process_threads{set=\"pid\",pid=\"$$\",comm=\"[^\"]*\",user=\"[^\"]*\",cgroup=\"[^\"]*\"} 1$" out
	! grep -q machine "$work/out" || bad "metrics of the machine with one process"
	while read -r change; do
		sed "$change" "$work/out" >"$work/bad"
		! cmp -s "$work/out" "$work/bad" || bad "no change: $change"
		metrics "$work/bad" >/dev/null && bad "taken after $change"
	done <<'END'
$d
$s/$/ /
1d
s/^# HELP vmatlas_set_processes .*//
/^# UNIT/s/bytes$/seconds/
s/ gauge$/ counter/
s/pid="/pid=/
s/comm="/comm="\\x/
s/",comm/" comm/
s/^\(vmatlas_set_processes[^ ]*\) \(.*\)/\1 \2 1700000000/
s/^\(vmatlas_set_processes[^ ]*\) .*/&\n&/
s/^\(vmatlas_set_processes[^ ]*\) .*/\1 NaN/
END
fi

# A recorded process without page frames: the kernel's sums and the counters.
mkdir "$work/one" "$work/bare"
for name in maps stat status cgroup smaps_rollup; do cat "/proc/$$/$name" >"$work/one/$name"; done
run 0 --json --from "$work/one"; valid
says "\"pid\": $$, \"inner_pid\": null" out
says '"rss_from": "rollup"' out
rss=$(sed -n 's/^Rss: *\([0-9]*\) kB/\1/p' "$work/one/smaps_rollup")
says "\"rss\": $((rss * 1024)), " out
says '"once": null, "once_missing": "not-recorded"' out
cat "/proc/$$/maps" >"$work/bare/maps"
run 0 --json --from "$work/bare"; valid
says '"pid": null, "pid_missing": "not-recorded"' out
says '"pss_missing": "not-recorded"' out
exit $fail
