#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What watch says of a program that changes in known ways, to the page, and what watching costs.
set -u
top=${srcdir:-.}
[ "$(id -u)" = 0 ] || { echo "skipped: frame numbers need root"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
work=$(mktemp -d -p "$PWD") || exit 99
trap 'rm -rf "$work"' EXIT
${CC:-cc} -O1 -o "$work/changes" "$top/tests/live/changes.c" || exit 99
python3 "$top/tests/live/watch_changes.py" "$PWD/vmatlas" "$work"
