#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A process whose file, folder and name hold everything that could upset a terminal or a parser.
set -u
top=${srcdir:-.}
work=$(mktemp -d) || exit 1
target=
trap '[ -z "$target" ] || kill "$target"; rm -rf "$work"' EXIT
fail=0
bad() { echo "failed: $*"; fail=1; }

folder="$work/"$'a\033]0;t\a\nb\\x41"$`c \xff\xe2\x80\xae\xc2\x9b\xc3\xa4'
mkdir "$folder"
cp "$(command -v sleep)" "$folder/"$'\033[2J\n\xffd'
"$folder/"$'\033[2J\n\xffd' 100 & target=$!
# Until it has replaced the shell that forked it.
for ((i = 0; i < 100; i++)); do
	[ "$(readlink "/proc/$target/exe")" != "$(readlink /proc/$$/exe)" ] && break
	sleep 0.05
done

# clean WHAT: nothing but printable characters and newlines
clean() {
	! LC_ALL=C grep -q $'[\001-\010\013-\037\177]' "$work/out" || bad "$1: control bytes"
	! grep -qF $'\xe2\x80\xae' "$work/out" || bad "$1: bidirectional character"
	! grep -qF $'\xc2\x9b' "$work/out" || bad "$1: C1 control"
}

for locale in C C.UTF-8; do
	export LC_ALL=$locale
	for format in '' --raw --pairs --json; do
		# shellcheck disable=SC2086
		timeout 30 ./vmatlas map $format -o path,role,perms "$target" >"$work/out" 2>"$work/err" ||
			bad "map $format under $locale: $(cat "$work/err")"
		clean "map $format under $locale"
		LC_ALL=C grep -qF 'b\x5cx41' "$work/out" || grep -qF 'b\\x5cx41' "$work/out" ||
			bad "map $format under $locale: the folder is not there"
		[ "$format" != --raw ] || [ "$(awk '{ print NF }' "$work/out" | sort -u | wc -l)" = 1 ] ||
			bad "map --raw: rows do not have the same number of fields"
	done
	for format in '' --raw --pairs --json; do
		# shellcheck disable=SC2086
		timeout 30 ./vmatlas diff $format --all $$ "$target" >"$work/out" 2>"$work/err" ||
			bad "diff $format under $locale: $(cat "$work/err")"
		clean "diff $format under $locale"
		# shellcheck disable=SC2086
		timeout 30 ./vmatlas watch $format --count 2 --interval 20ms -o pid,comm,rss,what "$target" \
			>"$work/out" 2>"$work/err" || bad "watch $format under $locale: $(cat "$work/err")"
		clean "watch $format under $locale"
	done
	./vmatlas diff "$folder/none" $$ >"$work/out" 2>&1 && bad "no failure of a wrong snapshot"
	clean "error of diff under $locale"
	./vmatlas map "$folder/none" >"$work/out" 2>&1 && bad "no failure of a wrong path"
	clean "error under $locale"
	./vmatlas $'\033[2J' >"$work/out" 2>&1 && bad "no failure of a wrong command"
	clean "usage error under $locale"
done

# What pairs print is safe for a shell: the evaluated path is the escaped one.
./vmatlas map --pairs -o path "$target" | while read -r line; do
	eval "$line" || { echo "eval: $line"; exit 1; }
	[[ "$line" == "VM_PATH=\"$VM_PATH\"" ]] || { echo "$line is evaluated to $VM_PATH"; exit 1; }
done || bad "pairs are not safe for eval"

./vmatlas map --json "$target" >"$work/out"
# maps shows the newline as \012; what is behind it is as it was.
hex=$(printf %s "${folder#*$'\n'}" | od -An -tx1 | tr -d ' \n')
grep -q "\"path_hex\": \"[0-9a-f]*$hex" "$work/out" || bad "path_hex does not hold the bytes"
# Every document has all bytes of names that it cannot show, and is still what its schema says.
comm=$(head -c -1 "/proc/$target/comm" | od -An -tx1 | tr -d ' \n')
json() {
	timeout 30 ./vmatlas "$@" >"$work/out" 2>"$work/err" || bad "$*: $(cat "$work/err")"
	[ -z "${PYTHON-python3}" ] || "${PYTHON:-python3}" "$top/tests/cli/validate.py" "$1" "$work/out"
	case $? in 0 | 77) ;; *) bad "$* is not valid" ;; esac
	grep -q "\"comm_hex\": \"$comm\"" "$work/out" || bad "$*: no comm_hex"
}
json map --json "$target"
json cow --json "$target"
json pagetable --json --tree "$target"
json elf --json "$target"
json addr --json "$target" entry stack
json ps --json "$target"
json share --json "$target"
json files --json "$target"
json diff --json $$ "$target"
json watch --json --count 1 "$target"
json record --json "$target" "$work/snapshot"
json map --json --from "$work/snapshot"
exit $fail
