#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# addr on 60,000 VMAs and 2 million pages, one address, against reading the maps text (wanted: at
# most 1.5): near the begin of the map, in the middle, at its end, in the large VMA, and a symbol.
# Below, what else it opens and reads.
set -u
vmatlas=${VMATLAS:-./vmatlas}
bench=${BENCH:-./tests/bench}
count=${COUNT:-60000}
pages=${PAGES:-2000000}
limit=/proc/sys/vm/max_map_count
old=$(cat $limit)
trap 'echo "$old" >$limit' EXIT
trap 'exit 130' INT TERM
[ "$old" -ge $((count + 100)) ] || echo $((count + 5000)) >$limit || { echo "skipped: cannot raise $limit"; exit 77; }

"$bench/ratio" -n "${RUNS:-9}" "$bench/workloads/wl_vmas" "$count" "$pages" -- \
	"$vmatlas" addr {PID} 0x1000 -- \
	"$vmatlas" addr {PID} entry -- \
	"$vmatlas" addr {PID} heap --json -- \
	"$vmatlas" addr {PID} stack -- \
	"$vmatlas" addr {PID} main -- \
	"$bench/workloads/floor" maps {PID} || exit 1
command -v strace >/dev/null || exit 0
: >"$bench/ready.out"
"$bench/workloads/wl_vmas" "$count" "$pages" >"$bench/ready.out" &
pid=$!
while ! grep -q ready "$bench/ready.out"; do sleep 0.2; done
rm -f "$bench/ready.out"
echo "calls for one address:"
strace -f -c "$vmatlas" addr $pid stack 2>&1 >/dev/null | grep -E 'read|ioctl|openat|total'
kill $pid
wait $pid 2>/dev/null
