#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Mapped objects with known pages, and what became of their names.
set -u
top=${srcdir:-.}
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$top/tests/live/files.py" ./vmatlas
