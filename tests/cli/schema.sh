#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The schema of map refuses documents that break the contract, one change at a time.
set -u
top=${srcdir:-.}
vmatlas=${VMATLAS:-./vmatlas}
python=${PYTHON:-}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
[ -n "$python" ] || { echo "skipped: no python3"; exit 77; }
"$vmatlas" map --json self >"$work/good" || exit 1
"$python" "$top/tests/cli/validate.py" map "$work/good"
status=$?
[ $status = 0 ] || exit $status
fail=0
while read -r change; do
	"$python" -c "import json, sys
d = json.load(open(sys.argv[1]))
v = d['vmas'][0]
$change
json.dump(d, open(sys.argv[2], 'w'))" "$work/good" "$work/bad" || { echo "failed: $change"; exit 1; }
	"$python" "$top/tests/cli/validate.py" map "$work/bad" >"$work/said" &&
		{ echo "failed: accepted after $change"; fail=1; }
	[ -s "$work/said" ] || { echo "failed: nothing said of $change"; fail=1; }
done <<'END'
del v['rss']
del d['warnings']
del d['process']['comm']
del d['process']['limits']['as']
v['unknown'] = 1
v['class'] = 'Z'
v['class'] = None
v['certainty'] = None
v['start'] = '7f00'
v['start'] = None
v['perms'] = 'rw'
v['rss'] = -1
v['rss'] = '12K'
v['rss_missing'] = 'because'
v['inode'] = '0xffffffffffffffff'; v['inode_hex'] = '255'
v['flags'] = 'rd ex'
v['elf'] = {}
v['smaps']['Size'] = None
d['version'] = 2
d['schema'] = 'vmatlas/cow'
d['access']['maps'] = 'fine'
d['cost'] = {}
END
exit $fail
