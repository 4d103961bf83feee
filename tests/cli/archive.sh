#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Snapshots in archives: read as a folder is, and what no recording holds is refused with a
# reason. Nothing is left behind.
set -u
top=${srcdir:-.}
vmatlas=${VMATLAS:-./vmatlas}
fail=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
command -v python3 >/dev/null || { echo "skipped: python3 is not there"; exit 77; }

make_archive() {
	python3 "$top/tests/cli/archive_make.py" "$1" "$2" || { echo "failed: $1 was not made"; fail=1; }
}

for suffix in tar tar.gz tar.xz tar.bz2; do
	make_archive good "$work/good.$suffix"
	"$vmatlas" map --raw --no-headings -o start --from "$work/good.$suffix" >"$work/out" 2>&1
	[ "$(cat "$work/out")" = 0x10000 ] || { echo "failed: good.$suffix"; cat "$work/out"; fail=1; }
done
for kind in dot dot-folder dot-named flat; do
	make_archive $kind "$work/$kind.tar"
	"$vmatlas" map --raw --no-headings -o start --from "$work/$kind.tar" >"$work/out" 2>&1
	[ "$(cat "$work/out")" = 0x10000 ] || { echo "failed: $kind"; cat "$work/out"; fail=1; }
done

# refused FILE WORDS: exit 1, one line with these words, nothing on stdout, no longer than a second
refused() {
	timeout 20 "$vmatlas" map --from "$1" >"$work/out" 2>"$work/err"
	status=$?
	[ $status -eq 1 ] || { echo "failed: $1: exit $status"; fail=1; }
	[ ! -s "$work/out" ] || { echo "failed: $1 printed something"; fail=1; }
	grep -q "$2" "$work/err" && [ "$(wc -l <"$work/err")" -eq 1 ] ||
		{ echo "failed: $1 was not refused for \"$2\":"; cat "$work/err"; fail=1; }
}

while read -r kind words; do
	make_archive "$kind" "$work/$kind.tar"
	refused "$work/$kind.tar" "$words"
done <<END
symlink snap/maps: refused in an archive: a link
hardlink snap/smaps: refused in an archive: a link
outer-hardlink snap/maps: refused in an archive: a link
folder-link snap/host: refused in an archive: a link
fifo snap/maps: refused in an archive: neither a file nor a folder
device snap/maps: refused in an archive: neither a file nor a folder
absolute refused in an archive: not a plain name
above ../maps: refused in an archive: not a plain name
inner-above snap/../../maps: refused in an archive: not a plain name
beside other/maps: refused in an archive: not in the folder of the first one
twice maps: refused in an archive: it is there twice
dot-part snap/./maps: refused in an archive: not a plain name
empty-part snap//maps: refused in an archive: not a plain name
long-name refused in an archive: too long a name
nothing neither a manifest nor a text maps
END
make_archive bomb "$work/bomb.tar.gz"
refused "$work/bomb.tar.gz" "unpacked it is larger than 4.. MiB"

head -c 5000 /dev/zero >"$work/zero.tar"
refused "$work/zero.tar" "neither a manifest nor a text maps"
head -c 5000 /dev/urandom >"$work/noise.tar"
refused "$work/noise.tar" "cannot be read"
: >"$work/empty.tar.gz"
refused "$work/empty.tar.gz" "neither a manifest\|cannot be read"
head -c 700 "$work/good.tar" >"$work/cut.tar"
refused "$work/cut.tar" "cannot be read\|neither a manifest"
head -c 150 "$work/good.tar.gz" >"$work/cut.tar.gz"
refused "$work/cut.tar.gz" "cannot be read"
mkfifo "$work/pipe.tar"
refused "$work/pipe.tar" "not a regular file"
refused "$work/absent.tar" "no such snapshot"
TMPDIR=$work/nowhere
refused "$work/good.tar" "making a temporary file"

[ -z "$(ls "$work/tmp")" ] || { echo "failed: something was left in TMPDIR"; fail=1; }
exit $fail
