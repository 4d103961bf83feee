#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who shares what with whom, against frames read one by one.
set -u
top=${srcdir:-.}
[ "$(id -u)" = 0 ] || { echo "skipped: frame numbers need root"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
rc=0
for check in share share_freed share_end; do
	python3 "$top/tests/live/$check.py" ./vmatlas tests/tools/memstate || rc=1
done
exit $rc
