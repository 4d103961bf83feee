#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every page of every state that memstate can make, as cow --pages tells it.
set -u
top=${srcdir:-.}
[ "$(id -u)" = 0 ] || { echo "skipped: frame numbers need root"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/live/cow_states.py" ./vmatlas tests/tools/memstate
