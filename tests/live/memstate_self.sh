#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every state that memstate claims and every effect that access claims, against the kernel.
folder="$PWD/memstate-self.XXXXXX"
. "${srcdir:-.}/tests/live/common.sh"
needs_root 'frame numbers and page flags need'
[ -r /proc/kpageflags ] || skip "no /proc/kpageflags"
bad=0 good=0 skipped=0

count() { # STATUS WHAT OUTPUT
	case $1 in
	0) good=$((good + 1)) ;;
	77) skipped=$((skipped + 1)); echo "skipped $2: $3" ;;
	*) bad=$((bad + 1)); echo "FAIL $2 ($1): $3" ;;
	esac
}

# Runs are counted over all processes; accesses are made by the first one only.
claims() {
	awk '/^child/ { other = 1 }
	/^pid/ { other = 0 }
	/^expect/ {
		for (i = 5; i <= NF && !other; i++)
			if (sub(/^next_/, "", $i) && sub(/=.*/, "", $i))
				print run + 0, $i
		run++
	}' out
}

check_claims() {
	claims >claims
	while read -r run access; do
		seen=$(echo go | "$tools/access" "$1" "$run" "$access" 2>&1)
		count $? "access $1 $run $access" "$seen"
	done <claims
}

check_state() {
	state_start "$tools/memstate" "$1"
	status=$?
	[ $status = 0 ] || { count $status "state $1" "$(cat out err)"; return; }
	seen=$("$tools/pagecheck" <out)
	count $? "state $1" "$seen"
	state_stop || count $? "end of state $1" "$(cat err)"
	check_claims "$1"
}

for state in $("$tools/memstate" --list | cut -d' ' -f1); do
	check_state "$state"
done
for situation in $("$tools/access" --list | cut -d' ' -f1); do
	seen=$(echo go | "$tools/access" "$situation" 2>&1)
	count $? "access $situation" "$seen"
done
echo "$good as claimed, $bad not, $skipped skipped"
[ $bad = 0 ]
