#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is shared after fork, and who wrote, seen from both sides.
set -u
top=${srcdir:-.}
[ "$(id -u)" = 0 ] || { echo "skipped: frame numbers need root"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/live/cow_family.py" ./vmatlas tests/tools/memstate
