#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# share of a prefork server of 17 processes and 8.9 million page-table entries, and of all of 310
# processes, against smem (wanted: at most 0.3) and smemstat, which tell sums of each only.
# Wanted: at most 40 MiB.
set -u
vmatlas=${VMATLAS:-./vmatlas}
bench=${BENCH:-./tests/bench}
python=${PYTHON:-python3}
for tool in smem smemstat; do
	command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
for peer in "smem -P wl_prefork" smemstat; do
	echo "prefork, 17 processes, against $peer:"
	# shellcheck disable=SC2086
	"$bench/ratio" -n "${RUNS:-5}" "$bench/workloads/wl_prefork" "${MIB:-2048}" 16 10 -- \
		"$vmatlas" share --tree '{PID}' -- "$vmatlas" share --tree '{PID}' --threads 1 -- \
		"$vmatlas" share --tree '{PID}' --json -- $peer
done
echo "310 processes, against smem:"
"$bench/ratio" -n "${RUNS:-5}" "$bench/workloads/wl_system" 300 100 "$python" -- \
	"$vmatlas" share --all -- "$vmatlas" share --all --json -- smem
