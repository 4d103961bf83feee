#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Answers about files and copied pages are the same live and from a snapshot, for many addresses
# and names of programs of many kinds; what needs bytes is a gap.
. "${srcdir:-.}/tests/live/common.sh"
CC=${CC:-cc}
needs "${CC%% *}" python3
needs_root 'memory of others is read by'

cat >worker.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int data[5000] = { 1 };
char bss[100000];
/* The child prints its number, so that both are there. */
int main(void)
{
	char *p = malloc(300000);

	memset(p, 1, 300000);
	bss[5] = 1;
	if (fork() == 0) {
		data[0] = 5;
		printf("%d\n", getpid());
		fflush(stdout);
		pause();
	}
	data[4000] = 3;
	pause();
	return p[0];
}
END

# First, last and a middle byte of each VMA, and names.
places() {	# PID
	python3 - "$1" <<'END'
import sys
for line in open(f"/proc/{sys.argv[1]}/maps"):
    start, end = (int(x, 16) for x in line.split()[0].split("-"))
    if start < 1 << 63:
        print(hex(start), hex(end - 0x801), hex(end - 1))
END
	echo main stack heap entry
}

# compare NAME COMMAND OPTIONS... -- OPERANDS...
compare() {
	name=$1
	command=$2
	shift 2
	"$vmatlas" "$command" "$pid" --json "$@" >live 2>live.err
	status=$?
	"$vmatlas" "$command" --from snap "$pid" --json "$@" >doc 2>doc.err
	[ $? = $status ] || bad "$name: $command: not the exit status $status: $(cat doc.err)"
	diff live.err doc.err || bad "$name: $command"
	"$top/tests/live/replay_same.py" --gaps live doc || bad "$name: $command"
	"$top/tests/cli/validate.py" "$command" doc
	case $? in 0 | 77) ;; *) bad "$name: $command: see above" ;; esac
}

# All of it, in a process of its own so that a try that failed is forgotten.
compare_all() (	# NAME
	fail=0
	rm -rf snap
	"$vmatlas" record "$pid" snap >said 2>&1 || bad "$1: $(cat said)"
	compare "$1" map
	compare "$1" cow
	compare "$1" elf --pages
	# shellcheck disable=SC2046
	compare "$1" addr $(places "$pid")
	exit $fail
)

replay() {	# NAME PID
	pid=$2
	kill -STOP "$pid"
	rm -rf again
	# The kernel may take a page of a file back between the two answers.
	compare_all "$1" >first || compare_all "$1" || fail=1
	"$vmatlas" record --from snap again >said 2>&1 || bad "$1: $(cat said)"
	diff -r snap again || bad "$1: recorded again, it differs"
	if grep -rqa "$secret" snap; then bad "$1: content of memory or files is in the snapshot"; fi
}

# A string of the data of the program, and one of its code's constants, must not be recorded.
secret=vmatlas-secret-$$
sed -i "s/int main/const char secret[] = \"$secret\"; char data2[8192] = \"$secret\";\nint main/
	s/bss\[5\] = 1/data2[5000] = 1, bss[5] = secret[0]/" worker.c
$CC -g -O1 -o dynamic worker.c || exit 99
kinds=dynamic
$CC -g -static -o static worker.c 2>/dev/null && kinds="$kinds static"
$CC -m32 -o narrow worker.c 2>/dev/null && kinds="$kinds narrow"
for kind in $kinds; do
	rm -f out
	./$kind >out &
	parent=$!
	started="$started $parent"
	for _ in $(seq 200); do
		[ -s out ] && break
		sleep 0.02
	done
	child=$(cat out)
	started="$started $child"
	replay "$kind" "$parent"
	[ $kind != dynamic ] || replay "$kind, child" "$child"
done
echo "python3: $kinds"
rm -f out
python3 -c 'import json, time; print(1, flush=True); time.sleep(600)' >out &
started="$started $!"
for _ in $(seq 200); do
	[ -s out ] && break
	sleep 0.02
done
replay python3 $!
exit $fail
