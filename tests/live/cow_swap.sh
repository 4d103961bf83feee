#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copies of ELF pages in swap: counted and explained, and left where they are.
set -u
top=${srcdir:-.}
[ "$(id -u)" = 0 ] || { echo "skipped: swapping needs root"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/live/cow_swap.py" ./vmatlas tests/tools/memstate
