#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What addr predicts for an access against what happens when it is made: every situation of
# tests/tools/access. A situation that this kernel does not offer is skipped by its own word.
. "${srcdir:-.}/tests/live/common.sh"
needs_root 'the page states of others need'
needs python3
compared=0
effects=

# predict PID ADDRESS ACCESS: "EFFECT CERTAINTY"
predict() {
	"$vmatlas" addr "$1" "$2" --json 2>err2 | python3 -c '
import json, sys
access = json.load(sys.stdin)["addresses"][0]["accesses"][sys.argv[1]]
print(access["effect"], access["certainty"])' "$3"
}

# one NAME: predicts, lets it happen, compares
one() {
	rm -f control
	mkfifo control || exit 99
	: >out
	"$tools/access" "$1" <control >out 2>err &
	job=$!
	exec 9>control
	while kill -0 $job 2>/dev/null && ! grep -q '^expect' out; do sleep 0.01; done
	if ! grep -q '^expect' out; then
		exec 9>&-
		wait $job
		[ $? = 77 ] && echo "$1: $(grep -h skip out err)" || bad "$1: $(cat out err)"
		return
	fi
	pid=$(sed -n 's/^ready pid=\([0-9]*\) .*/\1/p' out)
	address=$(sed -n 's/^ready .* addr=\([0-9a-fx]*\) .*/\1/p' out)
	how=$(sed -n 's/^ready .* access=//p' out)
	[ "$how" = exec ] && how=execute
	predicted=$(predict "$pid" "$address" "$how")
	echo go >&9
	exec 9>&-
	wait $job
	seen=$(sed -n 's/^result .* seen=//p' out)
	compared=$((compared + 1))
	effects="$effects $seen"
	[ "${predicted%% *}" = "$seen" ] ||
		bad "$1: predicted $predicted, seen $seen; $(sed -n 's/^expect/expected/p' out); $(cat err2)"
	[ "${predicted##* }" != unknown ] || bad "$1: the certainty is unknown"
}

for name in $("$tools/access" --list | cut -d' ' -f1); do
	one "$name"
done
echo "$compared situations compared"
[ $compared -ge 40 ] || bad "only $compared situations could be compared"
for effect in segv-unmapped segv-access bus monitor grow read-in copy zero allocate map in-place none; do
	case " $effects " in
	*" $effect "*) ;;
	*) bad "no situation showed $effect" ;;
	esac
done
exit $fail
