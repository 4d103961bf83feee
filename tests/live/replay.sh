#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a command says of stopped processes it says of their recording too, also where there is no
# /proc, no /sys and no privilege.
# The name has to be short: the program's loader is to be found in there.
folder=/var/tmp/vrXXXXXX
. "${srcdir:-.}/tests/live/common.sh"
needs_root 'frame numbers need'
[ -r /proc/kpageflags ] || skip "no /proc/kpageflags"
needs python3

all() { # SIGNAL
	for p in $state_pid $kids; do kill -"$1" "$p"; done
}

mkdir own
python3 "$top/tests/live/private_copy.py" "$tools/memstate" "$work/own" || exit 99

# The same answers as nobody, with nothing in /proc and /sys.
bare() { # COMMAND...
	"$vmatlas" "$@" --from open/snap >seen 2>seen.err
	sed 1,3d seen >want
	unshare -m sh -c 'mount -t tmpfs none /proc && mount -t tmpfs none /sys && shift &&
		exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" "$@" --from open/snap' \
		"$vmatlas" - "$@" >seen 2>got.err
	sed 1,3d seen >got
	cmp -s want got && cmp -s seen.err got.err ||
		{ bad "$*: without /proc it is another answer"; diff want got | head -5; cat got.err; }
}

for state in two-children copies-forked thp-forked-written hugetlb-private swapped-copy ksm \
	guard-region uffd-wp leader-gone file-deleted; do
	export LD_LIBRARY_PATH="$work/own"
	state_start "$work/own/memstate" $state || { echo "skipped $state: $(tail -n 1 out)"; continue; }
	unset LD_LIBRARY_PATH
	kids=$(sed -n 's/^child //p' out)
	all STOP
	sleep 0.1
	# The kernel may move a page between recording and asking: once more then.
	for try in 1 2 3; do
		rm -rf snap snap.tar.zst open
		# shellcheck disable=SC2086
		"$vmatlas" record $state_pid $kids ./snap.tar.zst >said 2>&1 &&
			"$vmatlas" record $state_pid $kids ./snap >said 2>&1 ||
			{ cat said; bad "$state: not recorded"; }
		where=./snap
		[ $state != ksm ] || where=./snap.tar.zst
		# shellcheck disable=SC2086
		python3 "$top/tests/live/replay.py" "$vmatlas" $where $state_pid $kids >said && break
		[ $try -lt 3 ] || { cat said; bad "$state"; }
	done
	all CONT
	state_stop
	[ $state = two-children ] || continue
	mkdir open
	mv snap open/snap
	chmod -R a+rX "$work"
	for command in map cow "cow --pages" "cow --family" pagetable "pagetable --entries" elf; do
		# shellcheck disable=SC2086
		bare $command $state_pid
	done
	bare addr "$state_pid" "$(sed -n 's/^\(0x\)*\([0-9a-f]*\)-.*libc.so.*/0x\2/p' "open/snap/$state_pid/maps" | head -n 1)"
done
exit $fail
