# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Sourced by tests that work in a folder of their own, and end with "exit $fail". `folder` may be
# set before: the template of its name.
#
#   skip WHY...          the whole test
#   needs PROGRAM...     skips without them
#   needs_root WHY       skips without privilege
#   bad TEXT...          says it; the test fails
#
# $top is the source, $tools what was built of tests/tools; processes in $started are ended with the
# script. state_start and state_stop: see tests/tools/state.sh.
set -u
top=$(cd "${srcdir:-.}" && pwd) || exit 99
vmatlas=${VMATLAS:-$PWD/vmatlas}
tools=$PWD/tests/tools
work=$(mktemp -d ${folder:+"$folder"}) || exit 99
started=
fail=0
trap 'for p in $started; do kill -KILL "$p"; done 2>/dev/null; cd /; rm -rf "$work"' EXIT
cd "$work" || exit 99
. "$top/tests/tools/state.sh"

skip() { echo "skipped: $*"; exit 77; }
bad() { echo "failed: $*"; fail=1; }

needs() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}

needs_root() { [ "$(id -u)" = 0 ] || skip "$1 root"; }
