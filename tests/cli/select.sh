#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sets of processes, chosen through tests/cli/frame.
program=./tests/cli/frame command=pick
. "${srcdir:-.}/tests/cli/common.sh"
leafname=vmset$$

# The chosen PIDs are just these, in this order.
pids_are() {
	got=$(sed -n 's/^\([0-9]*\) .*/\1/p' "$work/out" | tr '\n' ' ')
	[ "$got" = "$* " ] || bad "chosen: $got, not $*"
}
sorted() { printf '%s\n' "$@" | sort -n | tr '\n' ' ' | sed 's/ $//'; }
# Waits until the file has a line, and prints it.
wait_line() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ -s "$1" ] && break
		sleep 0.1
	done
	cat "$1"
}

run 2; says 'which processes' err
run 2 --tree; says 'needs a value' err
run 1 --tree 2147483647; says '2147483647' err
run 1 2147483647; says 'there is no process' err
run 1 --user 'no such:user'; says 'no such user' err
run 1 --name 'no such name'; says 'no process' err
run 1 --cgroup /no/such/group; says 'no process' err

# A tree of three, a zombie in it, and one beside it.
cp "$(command -v sleep)" "$work/$leafname"
cat >"$work/middle.sh" <<END
"$work/$leafname" 600 & echo \$! >"$work/leaf"; wait
END
cat >"$work/holder.sh" <<END
sleep 0.3 & echo \$! >"$work/zombie"; exec sleep 600
END
cat >"$work/top.sh" <<END
sh "$work/middle.sh" &
sh "$work/holder.sh" & echo \$! >"$work/holder"; wait
END
sh "$work/top.sh" & root=$!
sleep 600 & other=$!
started="$root $other"
leaf=$(wait_line "$work/leaf") zombie=$(wait_line "$work/zombie") holder=$(wait_line "$work/holder")
started="$started $leaf $holder"
middle=$(awk '{ print $4 }' "/proc/$leaf/stat")
started="$started $middle"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	grep -q '^State:.Z' "/proc/$zombie/status" && [ "$(cat "/proc/$holder/comm")" = sleep ] &&
		[ "$(cat "/proc/$leaf/comm")" = $leafname ] && break
	sleep 0.1
done
tree=$(sorted "$root" "$middle" "$leaf" "$holder")
run 0 --tree "$root"; pids_are $tree
says "^$leaf $middle 1$" out
run 0 --tree "$middle"; pids_are $(sorted "$middle" "$leaf")
run 0 --tree "$middle" --tree "$holder" "$leaf" "$other"
pids_are $(sorted "$middle" "$leaf" "$holder" "$other")
run 0 "$other" "$leaf" "$other"; pids_are $(sorted "$other" "$leaf")
run 1 "$other" 2147483647 "$leaf"; pids_are $(sorted "$other" "$leaf"); says failed=1 out
run 1 "$zombie"; says 'no process with an address space' err
# What is left out of what was named is counted, and nothing else is.
run 0 "$leaf"; says '^kernel=0 gone=0 refused=0 failed=0$' out
run 0 "$leaf" "$zombie"; pids_are "$leaf"; says '^kernel=1 gone=0 refused=0 failed=0$' out
run 0 --tree "$holder"; pids_are "$holder"; says '^kernel=1 ' out
run 0 --tree "$middle"; says '^kernel=0 ' out
run 0 --name $leafname; pids_are "$leaf"
run 0 --name "$leafname*"; pids_are "$leaf"
run 0 $leafname; pids_are "$leaf"
run 0 --tree "$root" --name sleep; pids_are "$holder"
run 0 --tree "$root" --name sleep --name "$leafname*"; pids_are $(sorted "$holder" "$leaf")

# Users: the effective one, by name and number.
run 0 --tree "$root" --user "$(id -u)"; pids_are $tree
run 0 --tree "$root" --user "$(id -un)"; pids_are $tree
run 1 --tree "$root" --user "$(($(id -u) + 7))"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null 2>&1; then
	setpriv --ruid=65533 --euid=65534 sleep 600 & nobody=$!
	started="$started $nobody"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(cat "/proc/$nobody/comm")" = sleep ] && break
		sleep 0.1
	done
	run 0 --user 65534 "$nobody" "$other"; pids_are "$nobody"
	run 1 --user 65533 "$nobody"
	run 0 --user 65534 --user 0 "$nobody" "$other"; pids_are $(sorted "$nobody" "$other")
fi

# Control groups: every hierarchy that the kernel shows.
for group in $(sed 's/^[^:]*:[^:]*://' "/proc/$$/cgroup" | sort -u); do
	run 0 --tree "$root" --cgroup "$group"; pids_are $tree
done
run 0 --tree "$root" --cgroup / --name sleep; pids_are "$holder"

# All: what has an address space.
run 0 --all
for pid in $tree $other $$; do says "^$pid " out; done
for pid in $zombie 2; do ! grep -q "^$pid " "$work/out" || bad "$pid is among all"; done
if [ "$(cat /proc/2/comm 2>/dev/null)" = kthreadd ]; then
	run 1 2; says 'no process with an address space' err
	run 1 --tree 2; says 'no process with an address space' err
fi
if [ -n "${PYTHON:-}" ]; then
	"$PYTHON" -c 'import threading, time, sys
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print(threading.enumerate()[1].native_id, flush=True)
time.sleep(600)' >"$work/tid" & threads=$!
	started="$started $threads"
	tid=$(wait_line "$work/tid")
	[ "$tid" != "$threads" ] || bad "the thread has the number of its process"
	run 0 "$tid" "$threads"; pids_are "$threads"
fi

# Processes that end meanwhile are no failure.
(while [ -e "$work/leaf" ]; do true & /bin/true; done) & forks=$!
started="$started $forks"
for _ in 1 2 3 4 5 6 7 8 9 10; do run 0 --all --user "$(id -u)" --cgroup /; done
rm "$work/leaf"

# A recorded process, and a bare map without a name or parent.
mkdir "$work/bare" "$work/full"
for name in maps stat status cgroup; do cat "/proc/$holder/$name" >"$work/full/$name"; done
cat "/proc/$holder/maps" >"$work/bare/maps"
run 0 --from "$work/full"; pids_are "$holder"
run 0 --from "$work/full" --name sleep --user "$(id -u)" --cgroup /; pids_are "$holder"
run 1 --from "$work/full" --name other
run 1 --from "$work/full" --user root; says 'number' err
run 0 --from "$work/bare"; says '^0 0 0$' out
run 1 --from "$work/bare" --name sleep
exit $fail
