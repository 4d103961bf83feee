#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The memory of sets of processes against the kernel's own sums.
set -u
top=${srcdir:-.}
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/live/ps.py" ./vmatlas tests/tools/memstate
