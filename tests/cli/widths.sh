#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# On a terminal of 80 and of 120 columns every command keeps to it.
top=${srcdir:-.}
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/cli/widths.py" "${VMATLAS:-./vmatlas}" "$top"
