# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by tests in sh; the working directory must be the test's own.
#
#   state_start MEMSTATE NAME   0: it is in the state, what it said is in ./out, its PID in $state_pid;
#                               else its exit status (77: skipped), why is in ./out and ./err
#   state_stop                  ends it and waits until everything is undone; its exit status

state_start() {
	rm -f control
	mkfifo control || return 99
	: >out # what is there from the state before must not be taken for an answer
	"$1" "$2" <control >out 2>err &
	state_job=$!
	exec 9>control
	while kill -0 $state_job 2>/dev/null && ! grep -q '^end' out; do sleep 0.02; done
	state_pid=$(sed -n 's/^ready pid=//p' out)
	grep -q '^end' out && return 0
	state_stop
}

state_stop() {
	exec 9>&-
	wait $state_job
}
