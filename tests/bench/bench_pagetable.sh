#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The summary of pagetable against the least work of a reader of procfs. Wanted: dense at most
# 1.15 x "floor pagemap", sparse at most 1.2 x "floor scan", less than 16 MiB.
set -u
bench=$PWD/tests/bench
work=$bench/workloads
runs=${RUNS:-9}

# compare TITLE FLOOR-MODE GENERATOR ARGS...
compare() {
	title=$1 mode=$2
	shift 2
	echo "$title"
	"$bench/ratio" -n "$runs" "$work/$@" -- ./vmatlas pagetable '{PID}' -- "$work/floor" "$mode" '{PID}' || exit 1
}

compare "dense: 8 GiB of small pages, against floor pagemap" pagemap wl_dense "${DENSE:-8192}"
compare "sparse: 1 TiB reserved, 32,768 pages touched, against floor scan" scan wl_sparse 1024 64
compare "thp: 4 GiB in huge pages, against floor pagemap" pagemap wl_thp "${THP:-4096}"
compare "vmas: 60,000 VMAs, against floor pagemap" pagemap wl_vmas 60000
echo "entries: a million, memory must not grow with them"
"$bench/ratio" -n 3 "$work/wl_dense" 4096 -- ./vmatlas pagetable --entries '{PID}' -- ./vmatlas pagetable --tree '{PID}'
