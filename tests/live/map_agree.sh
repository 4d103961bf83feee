#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# smaps read by other code, and table against JSON: see map_agree.py.
python=${PYTHON:-python3}
command -v "$python" >/dev/null 2>&1 || { echo "skipped: there is no python3"; exit 77; }
exec "$python" "${srcdir:-.}/tests/live/map_agree.py" "${VMATLAS:-./vmatlas}"
