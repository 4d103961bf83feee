#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Huge pages of a private file mapping are not copied by fork: the forecast against the child.
set -u
top=${srcdir:-.}
[ "$(id -u)" = 0 ] || { echo "skipped: mapping levels are told to root"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/live/fork_file.py" "$PWD/vmatlas" "$PWD"
