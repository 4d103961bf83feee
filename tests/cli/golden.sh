#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the commands say of the snapshots in fixtures/ is what it was.
top=${srcdir:-.}
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/cli/golden.py" "${VMATLAS:-./vmatlas}" "$top"
