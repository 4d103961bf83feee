#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Manual pages are clean, and every schema is one and names its own document.
set -u
top=${srcdir:-.}
fail=0
if command -v mandoc >/dev/null 2>&1; then
	for page in "$top"/man/*.[1-9]; do
		# References to pages that are not installed here are fine.
		found=$(mandoc -T lint "$page" 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db')
		[ -z "$found" ] || { echo "$found"; fail=1; }
	done
else
	echo "mandoc is not installed: the pages were not looked at"
fi
# What vmatlas.1 lists exists, with a manual and a schema.
for command in $(sed -n '/^\.Sh COMMANDS/,/^\.Sh OPERANDS/s/^\.It Cm //p' "$top/man/vmatlas.1"); do
	./vmatlas --list-commands | grep -qx "$command" ||
		{ echo "vmatlas.1: there is no command $command"; fail=1; }
	[ -f "$top/man/schema/$command.json" ] || { echo "there is no schema of $command"; fail=1; }
	[ -f "$top/man/vmatlas-$command.1" ] || { echo "there is no manual of $command"; fail=1; }
done
# From the page of the program one finds all others, and from each of them that one.
also() { sed -n '/^\.Sh SEE ALSO/,/^\.Sh [^S]/p' "$top/man/$1" | grep -q "^\.Xr $2\( ,\)*\$" || { echo "$1: does not name $2"; fail=1; }; }
for page in "$top"/man/*.[1-9]; do
	page=$(basename "$page")
	[ "$page" = vmatlas.1 ] || also vmatlas.1 "${page%.*} ${page##*.}"
	[ "$page" = vmatlas.1 ] || also "$page" 'vmatlas 1'
done
# Every option is spoken of, in the command's page or with the common ones.
for command in $(./vmatlas --list-commands); do
	for option in $(./vmatlas "$command" --list-options | sed -n 's/=$//; s/^--//p'); do
		grep -q "Fl Fl $option\b" "$top/man/vmatlas-$command.1" "$top/man/vmatlas.1" ||
			{ echo "vmatlas-$command.1: nothing says what --$option does"; fail=1; }
	done
done
for schema in "$top"/man/schema/*.json; do
	name=$(basename "$schema" .json)
	grep -q "\"\$id\": \"$name.json\"" "$schema" || { echo "$schema: its \$id is not $name.json"; fail=1; }
	[ "$name" = common ] || grep -q "\"vmatlas/$name\"" "$schema" ||
		{ echo "$schema: does not demand vmatlas/$name"; fail=1; }
done
exit $fail
