#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# elf on damaged files: an answer or a refusal, never a crash, soon, and in valid JSON.
set -u
vmatlas=$PWD/vmatlas
make=$PWD/tests/unit/elf_damage
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
fail=0

bad() { echo "$1"; fail=1; }

CC=${CC:-cc}
for tool in "${CC%% *}" python3 timeout; do
	command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
cd "$work" || exit 99
cat >good.c <<'END'
#include <stdio.h>
int words[4] = { 1, 2 };
int *table[] = { words, words + 1, words + 3 };
int zeroed[9000];
int main(void) { return printf("%d\n", *table[1] + zeroed[3]) < 0; }
END
$CC -O1 -g -pie -fPIE -rdynamic -Wl,--build-id=sha1 -Wl,--hash-style=gnu -o good good.c || exit 99
case $(od -An -tx1 -j4 -N1 good) in
*02*) ;;
*) echo "skipped: recipes are for 64-bit files"; exit 77 ;;
esac

# ask OPTIONS...: exit 0 or 1
ask() {
	timeout 60 "$vmatlas" elf "$@" ./bad >out 2>err
	status=$?
	[ $status -le 1 ] || bad "$recipe, $*: exit $status: $(tail -5 err)"
}

n=0
for recipe in $("$make" --list | cut -d' ' -f1); do
	"$make" "$recipe" good bad || { bad "$recipe: not made"; continue; }
	ask --pages
	grep -q . out err || bad "$recipe: says nothing"
	ask --json --pages
	python3 -c 'import json; json.load(open("out"))' || bad "$recipe: no JSON"
	[ $status = 1 ] || grep -q '"file"' out || bad "$recipe: exit 0 without an answer"
	rm -f bad
	n=$((n + 1))
done
[ $n -gt 20 ] || bad "only $n recipes"
echo "$n damaged files"
exit $fail
