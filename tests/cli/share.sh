#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Options and documents of share, small sets, and recorded processes.
command=share
. "${srcdir:-.}/tests/cli/common.sh"

narrow() { # only paths are cut on terminals alone
	[ "$(sed 's| /.*||' "$work/out" | wc -L)" -le 80 ] || bad "too wide: $(cat "$work/out")"
}

for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do
	sleeper
done
# shellcheck disable=SC2086
set -- $started
run 2; says 'which process' err
run 2 -o nope $$; says 'no such column' err
run 1 2147483647; says 'no process' err
run 0 --json $$; valid; says '"shared_with": {}' out
run 0 --json "$1" "$2"; valid; says "\"pid\": $1," out
[ "$(id -u)" != 0 ] || says "\"shared_with\": {\"$2\": [1-9]" out
run 0 --json --forks --classes "$@" $$; valid
run 0 --json "$@"; valid; says '"classes": null[,}]' out
run 0 --json --all; valid
run 1 --json "$1" 2147483647; valid; says "\"pid\": $1," out
for rows in files:+device,inode,deleted,hugetlb,outside classes:role,once,processes \
	forks:child,written_child,shared pairs-of:pid_b,shared; do
	columns=${rows#*:}
	rows=${rows%%:*}
	run 0 --json --$rows -o "$columns" "$1" "$2"; valid
	run 0 --$rows --raw --no-headings -o "$columns" "$1" "$2"
	run 0 --$rows "$1" "$2"
	run 2 --$rows -o pid,ppid "$1"; says 'no such column' err
done
run 0 --json -o +state,ppid,vss,anonymous,hugetlb,swap_pss,swap_freed,zero,shared_with $$; valid
run 0 --raw --no-headings -o pid,comm "$1" "$2"; says "^$1 " out
[ "$(wc -l <"$work/out")" = 2 ] || bad "raw: $(cat "$work/out")"
run 0 --pairs -o pid,rss "$1"; says "^PID=\"$1\" RSS=\"[0-9]*\"$" out
LC_ALL=C run 0 "$@"; ! LC_ALL=C grep -q '[^ -~]' "$work/out" || bad "bytes outside ASCII"
if [ "$(id -u)" = 0 ]; then
	run 0 "$1" "$2" "$3"; narrow; says '^Shared by each pair' out
	grep -A1 '^Shared by each pair' "$work/out" | grep -q "PID *$1 *$2$" || bad "head of the matrix"
	run 0 "$@"; narrow; says '^Pairs that share most' out; says 'more pairs; --pairs-of' out
	shift 2
	run 0 "$@"; narrow; says '^Shared by each pair' out	# 20: in blocks
	[ "$(grep -c "^ *PID *[1-9]" "$work/out")" -ge 2 ] || bad "no second block: $(cat "$work/out")"
fi

# OpenMetrics: the same numbers as in the JSON are of live processes; here the form.
if command -v python3 >/dev/null; then
	run 2 --openmetrics --json $$; says 'a format of its own' err
	run 0 --openmetrics $$
	python3 "$top/tests/tools/openmetrics.py" "$work/out" || bad "the metrics"
	says '^vmatlas_share_processes{set="pid"} 1$' out
	[ "$(id -u)" != 0 ] || says "^vmatlas_share_process_freed_bytes{set=\"pid\",pid=\"$$\"," out
	! grep -v '^#' "$work/out" | grep -v '{set="pid"' || bad "a sample without its set"
	run 0 --openmetrics --set-name 'a"\b' $$
	python3 "$top/tests/tools/openmetrics.py" "$work/out" || bad "the metrics"
	says '^vmatlas_share_processes{set="a\\"\\\\b"} 1$' out
	run 0 --openmetrics --set-name "$(printf 'a\nb\377')" $$
	python3 "$top/tests/tools/openmetrics.py" "$work/out" || bad "the metrics"
	says '^vmatlas_share_processes{set="a\\\\x0ab\\\\xff"} 1$' out
	run 0 --openmetrics --tree $$ --name 's*' --name sleep --user "$(id -u)" --name sleep
	says "^vmatlas_share_processes{set=\"tree user=$(id -u) name=s\* name=sleep\"} " out
	run 0 --openmetrics --all; says '^vmatlas_share_processes{set="all"} ' out
	run 2 --openmetrics --set-name '' $$; says 'needs a name' err
	run 2 --openmetrics --set-name "$(printf '%0201d' 1)" $$; says 'a short one' err
	run 2 --set-name a $$; says 'is for --openmetrics' err
	# Two sets beside each other are two sets for a collector.
	run 0 --openmetrics --set-name one "$1" "$2"; cp "$work/out" "$work/one.prom"
	run 0 --openmetrics --set-name two "$1"; cp "$work/out" "$work/two.prom"
	python3 - "$top/tests/tools" "$work/one.prom" "$work/two.prom" <<'END' || bad "two sets"
import sys
sys.path.insert(0, sys.argv[1])
import openmetrics
one, two = (openmetrics.parse(open(name, "rb").read()) for name in sys.argv[2:])
same = [(n, labels) for n in one for labels in one[n] if labels in two.get(n, {})]
sys.exit(f"in both: {same}" if same or one["vmatlas_share_processes"] == two[
    "vmatlas_share_processes"] else 0)
END
fi

# A recorded process without page frames: the kernel's sums, and bounds of the rest.
mkdir "$work/one" "$work/bare"
for name in maps stat status smaps_rollup; do cat "/proc/$$/$name" >"$work/one/$name"; done
run 0 --json --from "$work/one"; valid
rss=$(sed -n 's/^Rss: *\([0-9]*\) kB/\1/p' "$work/one/smaps_rollup")
says "\"sum_rss\": $((rss * 1024))," out
says '"bytes_once": null, "bytes_once_missing": "not-recorded"' out
says "\"most\": $((rss * 1024))}" out
cat "/proc/$$/maps" >"$work/bare/maps"
run 0 --json --from "$work/bare"; valid
says '"rss_missing": "not-recorded"' out
exit $fail
