#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The modelled page table against tables counted by hand, and against VmPTE of sleeping processes.
folder="$PWD/pagetable.XXXXXX"
. "${srcdir:-.}/tests/live/common.sh"

# level NAME FILE: how many tables of that level the summary tells
level() { awk -v name="$1" '$1 == name { print $2 }' "$2"; }

difference() { # PID
	"$vmatlas" pagetable --bytes "$1" >summary 2>&1 || { cat summary; return 1; }
	awk '$1 == "Difference" { print $2 }' summary
}

# A process that does not run has difference 0; one that just woke up is asked again.
check_idle() { # NAME PID
	for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		found=$(difference "$2")
		[ "$found" = 0 ] && break
		sleep 0.3
	done
	[ "$found" = 0 ] || bad "$1: VmPTE differs by $found: $(cat summary)"
	[ "$found" = 0 ] && echo "$1: difference 0, $(awk '$1 == "VmPTE" { print $2 }' summary) bytes"
}

idle() { # NAME COMMAND...
	name=$1
	shift
	command -v "$1" >/dev/null 2>&1 || { echo "$name: not installed"; return; }
	"$@" >/dev/null 2>&1 </dev/null &
	started="$started $!"
	sleep "${settle:-0.3}"
	check_idle "$name" $!
	kill $! 2>/dev/null
	wait $! 2>/dev/null
}

# Tables that a state claims for a range of its own; emptied ones are seen by nobody but VmPTE.
check_tables() { # START END pmd=N pte=N deposited=N emptied=N
	start=$1 end=$2
	pmd=${3#pmd=} pte=${4#pte=} deposited=${5#deposited=} emptied=${6#emptied=}
	"$vmatlas" pagetable --range "${start#0x}-${end#0x}" "$state_pid" >range 2>&1
	seen="$(level pmd range) $(level pte range) $(level deposited range)"
	want="$pmd $pte $deposited"
	[ "$seen" = "$want" ] || bad "$state: pmd pte deposited are $seen, not $want"
	found=$(difference "$state_pid")
	[ "$found" = $((emptied * 4096)) ] ||
		bad "$state: difference $found, not $((emptied * 4096)): $(cat summary)"
	[ "$emptied" = 0 ] || grep -q 'likely.*stay until' summary ||
		bad "$state: no cause is named: $(cat summary)"
	echo "$state: $want, difference $found"
}

# Shared memory is left out by fork: the child has fewer tables, and both are right.
check_child() {
	child=$(sed -n 's/^child \([0-9]*\).*/\1/p' out)
	[ -n "$child" ] || { bad "$state: no child"; return; }
	[ "$(difference "$child")" = 0 ] || bad "$state: the child differs: $(cat summary)"
	cp summary child
	difference "$state_pid" >/dev/null
	[ "$(level pte child)" -lt "$(level pte summary)" ] ||
		bad "$state: $(level pte child) PTE tables in the child, $(level pte summary) in the parent"
	echo "$state: $(level pte child) PTE tables in the child, $(level pte summary) in the parent"
}

for state in $("$tools/memstate" --list | sed -n 's/^\(tables-[a-z0-9]*\).*/\1/p'); do
	state_start "$tools/memstate" "$state"
	case $? in
	0) ;;
	77) echo "$state skipped: $(cat out err)"; continue ;;
	*) bad "$state: $(cat out err)"; continue ;;
	esac
	# shellcheck disable=SC2046
	check_tables $(sed -n 's/^tables //p' out | head -1)
	[ "$state" = tables-forked ] && check_child
	state_stop || bad "$state: $(cat err)"
done

# The huge zero page is anonymous although pagemap may call it a file page: it has a deposit.
for state in thp-zero thp file-thp shmem-thp hugetlb-private hugetlb-shared; do
	"$tools/memstate" --list | grep -q "^$state " || continue
	state_start "$tools/memstate" "$state" || { echo "$state skipped"; continue; }
	found=$(difference "$state_pid")
	[ "$found" = 0 ] || bad "$state: difference $found: $(cat summary)"
	echo "$state: difference $found, $(level deposited summary) deposited"
	state_stop || bad "$state: $(cat err)"
done

idle sleep sleep 60
idle sh sh -c 'sleep 60; :'
idle bash bash -c 'read -r x < <(sleep 60); :'
idle python3 python3 -c 'import time; time.sleep(60)'
settle=1
idle node node -e 'setTimeout(() => {}, 60000)'
cat >Idle.java <<'EOF'
class Idle { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }
EOF
# Compiled first: the compiler in the same process would give memory back and leave tables.
if command -v javac >/dev/null 2>&1 && javac Idle.java 2>/dev/null; then
	idle java java -Xmx64m -cp . Idle
else
	echo "java: not installed"
fi
settle=0.3
python3 - >forked 2>/dev/null <<'EOF' &
import os, time
data = bytearray(64 << 20)
for i in range(0, len(data), 4096):
    data[i] = 1
pid = os.fork()
if pid:
    print(pid, flush=True)
time.sleep(30)
EOF
started="$started $!"
while kill -0 $! 2>/dev/null && [ ! -s forked ]; do sleep 0.1; done
[ -s forked ] && { started="$started $(cat forked)"; check_idle "forked worker" "$(cat forked)"; }

# A 32-bit program has the 64-bit kernel's geometry.
echo 'int pause(void); int main(void) { return pause(); }' >small.c
if ${CC:-cc} -m32 -o small small.c 2>/dev/null && [ "$(uname -m)" = x86_64 ]; then
	idle "32-bit program" ./small
	grep -q '^Geometry *x86-64' summary || bad "a 32-bit program: $(cat summary)"
else
	echo "32-bit program: no compiler for it"
fi

# Without CAP_SYS_ADMIN there are no frames; the tables are right all the same.
nobody() { exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
if [ "$(id -u)" = 0 ] && (nobody "$vmatlas" --version) >/dev/null 2>&1; then
	nobody sleep 60 &
	started="$started $!"
	sleep 0.5
	(nobody "$vmatlas" pagetable $!) >summary 2>&1
	grep -q '^Difference *0$' summary || bad "unprivileged: $(cat summary)"
	(nobody "$vmatlas" pagetable --entries $!) >entries 2>&1
	grep -q '^0x[0-9a-f]* pte  *4K  *-\* anon ' entries || bad "unprivileged: $(tail -3 entries)"
	grep -q '^-\* needs more privilege' entries || bad "no reason: $(tail -3 entries)"
	echo "unprivileged: difference 0, frames missing with a reason"
else
	echo "unprivileged: not tested, nobody cannot run $vmatlas"
fi

# Entries agree with the summary, and so do ranges of the tree.
sleep 60 &
started="$started $!"
sleep 0.3
entries=$("$vmatlas" pagetable --entries --no-headings $! | grep -c '^0x')
difference $! >/dev/null
total=$(awk '$1 == "pte" { print $4 }' summary)
[ "$entries" = "$total" ] || bad "--entries lists $entries entries, the summary has $total"
drawn=$("$vmatlas" pagetable --tree -v $! | awk '$1 == "PTE" { n += $4 } END { print n + 0 }')
[ "$drawn" = "$total" ] || bad "--tree draws $drawn entries, the summary has $total"
stack=$(sed -n 's/^[0-9a-f]*-\([0-9a-f]*\) .*\[stack\]$/\1/p' "/proc/$!/maps")
"$vmatlas" pagetable --split "$(printf '0x%x' $((0x$stack - 8)))" $! >split
grep -q '^  pte entry: anon, frame 0x' split || bad "--split of the stack: $(cat split)"
"$vmatlas" pagetable --split 0x10000 $! >split
grep -q '^  pgd entry: empty' split || bad "--split of nothing: $(cat split)"
exit $fail
