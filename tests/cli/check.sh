#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of check, its documents against the schema, and what a snapshot that was bent on
# purpose makes of it.
set -u
top=${srcdir:-.}
vmatlas=$PWD/vmatlas
work=$(mktemp -d) || exit 99
sleeper=
trap '[ -z "$sleeper" ] || kill $sleeper; rm -rf "$work"' EXIT
fail=0

bad() { echo "$1"; fail=1; }

# status EXPECTED ARGS...
status() {
	expected=$1
	shift
	"$vmatlas" check "$@" >"$work/out" 2>"$work/err"
	got=$?
	[ $got = "$expected" ] || bad "check $*: exit $got, not $expected: $(cat "$work/out" "$work/err")"
}

# valid EXPECTED ARGS...: that exit status and a document that the schema takes
valid() {
	status "$@" --json
	"$top/tests/cli/validate.py" check "$work/out"
	case $? in
	0) ;;
	77) echo "the schema was not checked" ;;
	*) bad "check $*: see above" ;;
	esac
}

says() { grep -q -e "$1" "$work/out" || bad "$2: no '$1' in: $(cat "$work/out")"; }

sleep 60 &
sleeper=$!
sleep 0.2

valid 0 $sleeper
says '"ok": true' 'a process that sleeps'
status 0 $sleeper
says '^rss  ' text
says ' 0 unexplained' text
grep -q '^hugetlb' "$work/out" && bad "a row of zeros without -v: $(cat "$work/out")"
status 0 -v $sleeper
says '^hugetlb .* equal$' -v
status 0 --bytes $sleeper
says '^rss  *[0-9]\{6,\} ' --bytes
status 0 --raw -o name,smaps,ok $sleeper
[ "$(head -1 "$work/out")" = "NAME SMAPS OK" ] || bad "--raw -o: $(head -1 "$work/out")"
status 0 $sleeper $sleeper
status 0 --strict $sleeper
valid 0 --stop $sleeper
says '"stopped": 1,' --stop
grep -q '^State:	S' /proc/$sleeper/status || bad "--stop left it $(grep State /proc/$sleeper/status)"
status 2
status 2 -o nothing $sleeper

# Text as wide as a terminal, and every gap with its reason.
COLUMNS=80 "$vmatlas" check $sleeper | awk 'length > 80 { print; bad = 1 } END { exit bad }' ||
	bad "wider than 80 columns"

# A machine of made-up numbers: one VMA of 5 pages, three of them resident.
snapshot=$work/snapshot
mkdir "$snapshot"
cat >"$snapshot/smaps" <<END
7f0000000000-7f0000005000 rw-p 00000000 00:00 0
Size:                 20 kB
KernelPageSize:        4 kB
MMUPageSize:           4 kB
Rss:                  12 kB
Pss:                  12 kB
Shared_Clean:          0 kB
Shared_Dirty:          0 kB
Private_Clean:         0 kB
Private_Dirty:        12 kB
Referenced:           12 kB
Anonymous:            12 kB
KSM:                   0 kB
AnonHugePages:         0 kB
Swap:                  0 kB
SwapPss:               0 kB
Locked:                0 kB
VmFlags: rd wr mr mw me ac
END
sed -n 1p "$snapshot/smaps" >"$snapshot/maps"
cat >"$snapshot/status" <<END
Name:	made
State:	S (sleeping)
Tgid:	1
Pid:	1
Threads:	1
VmSize:	      20 kB
VmLck:	       0 kB
VmRSS:	      12 kB
RssAnon:	      12 kB
RssFile:	       0 kB
RssShmem:	       0 kB
VmData:	      20 kB
VmStk:	       0 kB
VmSwap:	       0 kB
END
echo '5 3 0 0 0 5 0' >"$snapshot/statm"
mkdir "$snapshot/host"
echo 0 >"$snapshot/host/cpus_online"
valid 0 --from "$snapshot"
says '"stat": null, "stat_missing": "not-recorded"' 'a snapshot without stat'
status 0 --from "$snapshot"
says '^rss  *12K  *-\* ' 'a gap is marked'
status 3 --strict --from "$snapshot"
sed -i 's/^VmRSS:.*/VmRSS:	      16 kB/; s/^RssAnon:.*/RssAnon:	     140 kB/; s/^VmData:.*/VmData:	      24 kB/' "$snapshot/status"
valid 4 --from "$snapshot"
says '"ok": false' 'numbers that cannot be'
status 4 --from "$snapshot"
says '^rss .* explained$' 'a counter that lags'
says '^rss  *status  *smaps  *+4K  *+372K counter-lag ' 'a counter that lags, of one CPU'
says '^rss_anon .* unexplained$' 'a counter that lags too much'
says '^rss_anon  *status  *smaps  *+128K  *+124K counter-lag ' 'a counter that lags too much'
says '^data .* unexplained$' 'numbers that cannot be'
says '^data  *model  *status  *-4K ' 'numbers that cannot be'
echo '5 3 4 0 0 5 0' >"$snapshot/statm"
status 4 --from "$snapshot"
says 'contradicts itself' 'statm with more shared than resident pages'
exit $fail
