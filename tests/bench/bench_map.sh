#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# map on 60,000 VMAs: without counters against reading maps (wanted: at most 1.6), with counters
# against reading smaps in reads of 3,000 bytes (at most 1.15), memory (8 MiB + 300 bytes a VMA).
set -u
vmatlas=${VMATLAS:-./vmatlas}
bench=${BENCH:-./tests/bench}
count=${COUNT:-60000}
limit=/proc/sys/vm/max_map_count
old=$(cat $limit)
trap 'echo "$old" >$limit' EXIT
trap 'exit 130' INT TERM
[ "$old" -ge $((count + 100)) ] || echo $((count + 5000)) >$limit || { echo "skipped: cannot raise $limit"; exit 77; }
ratio() { "$bench/ratio" -n "${RUNS:-9}" "$bench/workloads/wl_vmas" "$count" -- "$@"; }

echo "without counters, against reading maps:"
ratio "$vmatlas" map -o range,perms,class,role,path {PID} -- \
	"$vmatlas" map -o range,pages,perms,kind,store,part {PID} -- \
	"$vmatlas" map --raw -o start,end,perms,class {PID} -- \
	"$vmatlas" map --json -o start,end,perms,class,role,path {PID} -- \
	"$bench/workloads/floor" maps {PID}
echo "with counters, against reading smaps:"
ratio "$vmatlas" map {PID} -- "$vmatlas" map --raw -o start,rss,pss {PID} -- \
	"$vmatlas" map --json {PID} -- \
	"$bench/workloads/floor" smaps {PID}
echo "memory allowed: $((8 * 1024 + count * 300 / 1024)) KiB"
