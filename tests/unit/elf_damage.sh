#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Damaged files, made here from a good one: every question about each ends soon and well, with
# bounded memory, and the damage is named. Files of a tebibyte are sparse.
set -u
dump=$PWD/tests/unit/elf_dump
make=$PWD/tests/unit/elf_damage
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
rss_limit=163840	# KiB

fail() {
	echo "failed: $*"
	failed=1
}

CC=${CC:-cc}
command -v "${CC%% *}" >/dev/null || { echo "skipped: no compiler"; exit 77; }
cd "$work" || exit 1
cat >good.c <<'EOF'
#include <stdio.h>
int words[4] = { 1, 2 };
int *table[] = { words, words + 1, words + 3 };
int zeroed[9000];
int main(void) { return printf("%d\n", *table[1] + zeroed[3]) < 0; }
EOF
$CC -O1 -g -pie -fPIE -rdynamic -Wl,--build-id=sha1 -Wl,--hash-style=gnu -o good good.c || exit 1
case $(file -bL good 2>/dev/null) in
*32-bit*) echo "skipped: recipes are for 64-bit machines"; exit 77 ;;
esac
if "$dump" rss good 2>/dev/null | grep -qx 'sanitizer 1'; then rss_limit=1000000; fi

# ask: 0 or 1 is an answer; a signal (128 and more), a sanitizer or a timeout is not
ask() {
	ELF_DUMP_RSS=1 timeout 60 "$dump" all bad >all 2>err
	status=$?
	[ $status -le 1 ] || { fail "$recipe: status $status"; tail -5 err; }
	rss=$(sed -n 's/^rss //p' err)
	[ "${rss:-0}" -le $rss_limit ] || fail "$recipe: $rss KiB"
	[ $status = 0 ] || echo refused >>all
	[ "${rss:-0}" -le "$rss_most" ] || rss_most=$rss
}

rss_most=0
n=0
for recipe in good $("$make" --list | cut -d' ' -f1); do
	said=$("$make" --list | awk -v r="$recipe" '$1 == r { print $2 }')
	if [ "$recipe" = good ]; then
		cp good bad
	else
		"$make" "$recipe" good bad || { fail "$recipe: not made"; continue; }
	fi
	ask
	case $recipe,$said in
	good,*) grep -v 'damage none' all | grep -e '^damage' -e refused && fail "good: damaged" ;;
	*,-) ;;
	*,refused) grep -qx refused all || fail "$recipe: not refused" ;;
	*) grep -q "^damage.*$said" all || { fail "$recipe: no $said"; grep ^damage all | sort -u; } ;;
	esac
	n=$((n + 1))
	rm -f bad
done
[ $n -gt 60 ] || fail "only $n files"
echo "$n files, at most $rss_most KiB"
exit $failed
