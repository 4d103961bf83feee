#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# --stop: what stands still runs again, however the tool ends.
set -u
top=${srcdir:-.}
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/live/stop.py" ./vmatlas tests/cli/frame
