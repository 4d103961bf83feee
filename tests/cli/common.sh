# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Sourced by tests of a command line, which set `command` before and end with "exit $fail".
#
#   bad TEXT...          says it; the test fails
#   run STATUS ARGS...   the command with these, output in $work/out and $work/err
#   says PATTERN FILE    out or err has it
#   valid [TEXT]         each document in out is as the schema of the command (or $schema) says
#   sleeper              a process that sleeps, in $sleeper
#
# Processes in $started are ended with the script.
set -u
top=${srcdir:-.}
vmatlas=${VMATLAS:-$PWD/vmatlas}
program=${program:-$vmatlas}
schema=${schema:-${command%% *}}
work=$(mktemp -d) || exit 99
started=
fail=0
trap 'for p in $started; do kill -KILL "$p"; done 2>/dev/null; rm -rf "$work"' EXIT

bad() { echo "failed: $*"; fail=1; }

run() {
	want=$1
	shift
	asked="$command $*"
	# shellcheck disable=SC2086
	"$program" $command "$@" >"$work/out" 2>"$work/err"
	got=$?
	[ $got = "$want" ] || { bad "$asked: exit $got, not $want"; cat "$work/err"; }
}

says() { grep -q -e "$1" "$work/$2" || { bad "$asked: no '$1' in $2:"; cat "$work/$2"; }; }

# PYTHON is empty where configure found none with jsonschema.
valid() {
	[ -n "${PYTHON-python3}" ] || return 0
	"${PYTHON:-python3}" "$top/tests/cli/validate.py" "$schema" "$work/out"
	case $? in
	0 | 77) ;;
	*) bad "$asked: not valid${1:+: $1}" ;;
	esac
}

sleeper() {
	sleep 600 &
	sleeper=$!
	started="$started $sleeper"
	until [ "$(cat /proc/$sleeper/comm)" = sleep ] && grep -q '^State:.S' /proc/$sleeper/status; do
		sleep 0.02
	done
}
