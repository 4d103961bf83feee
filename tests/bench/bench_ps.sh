#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# ps on 310 processes against smemstat (wanted: at most 0.4) and smem (at most 0.15), and on a
# prefork server of 17 processes and 8.9 million page-table entries against smem (at most 0.3).
set -u
vmatlas=${VMATLAS:-./vmatlas}
bench=${BENCH:-./tests/bench}
python=${PYTHON:-python3}
for tool in smem smemstat; do
	command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
for peer in smemstat smem; do
	echo "310 processes, against $peer:"
	"$bench/ratio" -n "${RUNS:-9}" "$bench/workloads/wl_system" 300 100 "$python" -- \
		"$vmatlas" ps -- "$vmatlas" ps --threads 1 -- "$vmatlas" ps --json -- \
		"$vmatlas" ps --openmetrics -- $peer
done
echo "prefork, all processes, against smem:"
"$bench/ratio" -n "${RUNS:-5}" "$bench/workloads/wl_prefork" "${MIB:-2048}" 16 10 -- \
	"$vmatlas" ps -- "$vmatlas" ps --threads 1 -- smem
