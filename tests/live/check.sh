#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The ledger of real processes: every number against a reading of its own, every rule provoked.
set -u
top=${srcdir:-.}
[ "$(id -u)" = 0 ] || { echo "skipped: frame numbers need root"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/live/check.py" "$PWD/vmatlas" "$PWD/tests/tools/memstate"
