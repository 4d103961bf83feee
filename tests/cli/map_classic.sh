#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The two textbook maps of fixtures/classic classify as their README says, from the text alone.
set -u
top=${srcdir:-.}
vmatlas=${VMATLAS:-./vmatlas}
fail=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# expect FILE: the wanted rows come on stdin
expect() {
	cat >"$work/want"
	"$vmatlas" map --raw --no-headings -o vpn,class,role,backing,certainty --from "$1" \
		>"$work/got" || { echo "failed: map --from $1"; fail=1; }
	diff -u "$work/want" "$work/got" || { echo "failed: $1"; fail=1; }
}

expect "$top/fixtures/classic/classic-2.6-user.maps" <<END
0x400 C text file inferred
0x600 K relro file inferred
0x601 S data file inferred
0x7ffff7a1c M text file inferred
0x7ffff7bd0 M gap file inferred
0x7ffff7dcf M relro file inferred
0x7ffff7dd3 M data file inferred
0x7ffffffdd P stack anon observed
END
expect "$top/fixtures/classic/classic-2.4-init.maps" <<END
0x8048 C text file inferred
0x804e S data file inferred
0x8050 D bss anon inferred
0x40000 M text file inferred
0x40016 M data file inferred
0x40024 M bss anon guess
0x40025 M text file inferred
0x40157 M data file inferred
0x4015c M bss anon inferred
0xbfffe P stack anon inferred
END

# A folder that holds only `maps` says the same as the text itself.
mkdir "$work/folder"
cp "$top/fixtures/classic/classic-2.4-init.maps" "$work/folder/maps"
for from in "$work/folder" "$top/fixtures/classic/classic-2.4-init.maps"; do
	"$vmatlas" map --raw -o start,end,perms,class,role,owner,reason --from "$from" || fail=1
done >"$work/both"
half=$(($(wc -l <"$work/both") / 2))
[ "$(head -n $half "$work/both")" = "$(tail -n $half "$work/both")" ] ||
	{ echo "failed: folder and text differ"; fail=1; }
exit $fail
