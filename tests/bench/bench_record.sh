#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# record against cow of the same process, and the size of what is written. Wanted: dense at most
# 2.5, at most 6 bytes per resident page packed; memory does not grow with the process.
set -u
vmatlas=${VMATLAS:-$PWD/vmatlas}
bench=$PWD/tests/bench
work=$bench/workloads
runs=${RUNS:-9}
limit=/proc/sys/vm/max_map_count
old=$(cat $limit)
made=$(mktemp -d "$bench/record.XXXXXX") || exit 1
trap 'echo "$old" >$limit; rm -rf "$made"' EXIT
trap 'exit 130' INT TERM
cat >"$made/again" <<END
#!/bin/sh
rm -f "$made/x.tar.zst"
exec "$vmatlas" record "\$1" "$made/x.tar.zst" 2>/dev/null
END
chmod +x "$made/again"

# compare TITLE GENERATOR ARGS...
compare() {
	title=$1
	shift
	echo "$title"
	"$bench/ratio" -n "$runs" "$work/$@" -- "$made/again" '{PID}' -- "$vmatlas" cow '{PID}' || exit 1
	echo "    $(stat -c %s "$made/x.tar.zst") bytes packed"
}

compare "dense: 2 million small pages" wl_dense 8192
compare "prefork: 2 GiB heap, 16 children that rewrote 10 %" wl_prefork 2048 16 10
echo "310 processes, --all, against reading their smaps and numa_maps"
cat >"$made/all" <<END
#!/bin/sh
rm -rf "$made/all.x"
exec "$vmatlas" record --all "$made/all.x" 2>/dev/null
END
chmod +x "$made/all"
"$bench/ratio" -n 3 "$work/wl_system" 300 100 "${PYTHON:-python3}" -- "$made/all" -- \
	sh -c 'cat /proc/[0-9]*/smaps /proc/[0-9]*/numa_maps 2>/dev/null; true' || exit 1
compare "sparse: 1 TiB, one page per 2 MiB of 64 GiB" wl_sparse 1024 64
compare "thp: 4 GiB of huge pages" wl_thp 4096
[ "$old" -ge 61000 ] || echo 65530 >$limit
compare "vmas: 60,000 VMAs" wl_vmas 60000
command -v strace >/dev/null || exit 0
"$work/wl_dense" 2048 >/dev/null &
pid=$!
sleep 3
echo "calls on dense, 2 GiB:"
strace -f -c -o "$made/calls" "$vmatlas" record $pid "$made/y" >/dev/null 2>&1
grep -E 'pread64|read|write|ioctl|fsync|total' "$made/calls"
kill $pid
wait $pid 2>/dev/null
