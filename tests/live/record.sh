#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Recordings of stopped processes in known states: all that they hold is what /proc says, two of
# them are the same, so is a recording of a recording, and one that is stopped half-way leaves nothing.
folder="$PWD/record.XXXXXX"
. "${srcdir:-.}/tests/live/common.sh"
needs_root 'frame numbers need'
[ -r /proc/kpageflags ] || skip "no /proc/kpageflags"
needs python3
# A program that was just built is still being written to the disk.
sync "$tools/memstate"

all() { # SIGNAL
	for p in $state_pid $kids; do kill -"$1" "$p"; done
}
# What two recordings of the same stopped process may differ in is taken out.
normal() {
	rm -f "$1/host/meminfo" "$1/host/swaps"
	sed -i '/^time /d' "$1/manifest"
	find "$1" -name status -exec sed -i '/^SigQ/d' {} +
	find "$1" -name smaps -o -name smaps_rollup | xargs sed -i -E '/^(Referenced|Pss|Shared_|Private_)/d'
	find "$1" -name numa_maps -exec sed -i -E 's/ (mapmax|active)=[0-9]+//g' {} +
	# Runs of flags and counts come apart otherwise where pages of libraries are used by others.
	rm -rf "$1/frames"
	# What the page cache has of files is no matter of the process either.
	find "$1" -path '*/files/*' \( -name cached -o -name swapped \) -exec rm {} +
	# Bit 56 of these pages (bit 61) is whether others map them, too.
	find "$1" -name pagemap -exec python3 "$top/tests/live/record_words.py" {} +
}

# A recording of a recording, from a folder and from an archive, is the same.
again() {
	"$vmatlas" record --from "./$1" ./again.tar.zst >said 2>&1 &&
		"$vmatlas" record --from ./again.tar.zst ./again >said 2>&1 || { cat said; bad "$state: not recorded again"; }
	diff -r "$1" again || bad "$state: recorded again it is another one"
	rm -rf again again.tar.zst
}

# One of each kind: all of them take long.
for state in anon-untouched file-forked two-children thp-forked-written mthp-child-gone hugetlb-shared ksm \
	swapped-forked shmem-thp guard-region uffd-wp threads leader-gone same-space grandchild tables-sparse; do
	rm -rf one two
	state_start "$tools/memstate" "$state" || { echo "skipped $state: $(tail -n 1 out)"; continue; }
	kids=$(sed -n 's/^child //p' out)
	all STOP
	# Until none of its threads runs any more, and its pages are on the lists of the kernel.
	sleep 0.1
	# shellcheck disable=SC2086
	if "$vmatlas" record $state_pid $kids one >said 2>&1 && "$vmatlas" record $state_pid $kids two >said 2>&1; then
		python3 "$top/tests/live/record.py" one $state_pid $kids >said || { cat said; bad "$state"; }
		python3 "$top/tests/live/record.py" two $state_pid $kids >said || { cat said; bad "$state, second"; }
		again one
		normal one
		normal two
		diff -r one two || bad "$state: two recordings differ"
	else
		cat said
		bad "$state: not recorded"
	fi
	all CONT
	state_stop
done
# Everything that has an address space and stays; what ends meanwhile is left out.
sleep 1000 &
quiet=$!
"$vmatlas" record --all ./all.tar.zst >said 2>&1 || { cat said; bad "--all"; }
"$vmatlas" record --from ./all.tar.zst ./all >said 2>&1 || { cat said; bad "--all again"; }
cat /proc/$quiet/maps | cmp -s - all/$quiet/maps || bad "--all: maps of $quiet"
for stat in all/*/stat; do
	grep -q '^State:.[ZX]' "${stat%/stat}/status" && bad "--all: $stat is of a zombie"
	[ -s "${stat%/stat}/maps" ] || grep -q '^maps ' "${stat%/stat}/missing" ||
		bad "--all: ${stat%/stat} has no map"
done
"$vmatlas" record 2 ./kernel-thread >said 2>&1 && bad "a kernel thread was recorded"
[ ! -e kernel-thread ] || bad "a kernel thread left something"
kill $quiet
python3 "$top/tests/live/record_stop.py" "$vmatlas" || fail=1
exit $fail
