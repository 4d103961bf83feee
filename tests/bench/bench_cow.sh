#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# cow against the least work of a reader of procfs that wants flags and count of every page, one
# thread. Wanted: dense, prefork and sparse at most 1.15, thp at most 0.2, vmas at most 1.5;
# at most 24 MiB on dense; with --family against the same for all 17 processes at most 1. Then the
# calls, which are the same on every machine.
set -u
vmatlas=${VMATLAS:-$PWD/vmatlas}
bench=$PWD/tests/bench
work=$bench/workloads
runs=${RUNS:-9}
limit=/proc/sys/vm/max_map_count
old=$(cat $limit)
trap 'echo "$old" >$limit' EXIT
trap 'exit 130' INT TERM

# compare TITLE GENERATOR ARGS...
compare() {
	title=$1
	shift
	echo "$title"
	"$bench/ratio" -n "$runs" "$work/$@" -- "$vmatlas" cow '{PID}' -- "$work/floor" all '{PID}' || exit 1
}

compare "dense: 2 million small pages" wl_dense 8192
compare "prefork: 2 GiB heap, 16 children that rewrote 10 %" wl_prefork 2048 16 10
echo "prefork, --family, against floor all of each of the 17 processes"
"$bench/ratio" -n "$runs" "$work/wl_prefork" 2048 16 10 -- "$vmatlas" cow --family '{PID}' -- \
	sh -c "for p in \$0 \$(cat /proc/\$0/task/\$0/children); do $work/floor all \$p; done" '{PID}' || exit 1
compare "sparse: 1 TiB, one page per 2 MiB of 64 GiB" wl_sparse 1024 64
compare "thp: 4 GiB of huge pages" wl_thp 4096
[ "$old" -ge 61000 ] || echo 65530 >$limit
compare "vmas: 60,000 VMAs" wl_vmas 60000
command -v strace >/dev/null || exit 0
for generator in "wl_dense 2048" "wl_thp 1024" "wl_vmas 20000"; do
	"$work/${generator% *}" ${generator#* } >/dev/null &
	pid=$!
	sleep 3
	echo "calls on $generator:"
	strace -f -c -o "$bench/calls.out" "$vmatlas" cow $pid >/dev/null
	grep -E 'pread64|read|ioctl|total' "$bench/calls.out"
	rm -f "$bench/calls.out"
	kill $pid
	wait $pid 2>/dev/null
done
