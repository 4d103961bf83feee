#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Options and documents of files, and recorded processes.
command=files
. "${srcdir:-.}/tests/cli/common.sh"

run 2 --top 0; says 'a number from 1' err
run 2 --sort nope; says 'no column' err
run 2 --users --sort size; says 'no column' err
run 1 2147483647; says 'no process' err
run 0 --json; valid; says '"objects": \[' out
run 0 --json --users $$; valid; says '"users": \[' out; says '"objects": \[' out
run 0 --json -o path,size $$; valid; ! grep -q '"pss": [0-9]*, "uss"' "$work/out" || bad "-o"
run 0 --json --path /no/such/path $$; valid; says '"objects": 0' out
run 1 --json $$ 2147483647; valid
run 0 --raw --no-headings -o kind,path --path 'ld*.so*' $$; says '^file /.*/ld' out
[ "$(wc -l <"$work/out")" = 1 ] || bad "more than one loader: $(cat "$work/out")"
run 0 --raw --no-headings --users -o pid,path --path 'ld*.so*' $$; says "^$$ /.*/ld" out
run 0 --top 1 $$; [ "$(grep -c ' named ' "$work/out")" -le 1 ] || bad "--top 1"
says '^In all' out
LC_ALL=C run 0 $$; ! LC_ALL=C grep -q '[^ -~]' "$work/out" || bad "bytes outside ASCII"
! grep -q -e vdso -e heap -e stack "$work/out" || bad "something that is no object"

# A bare map: the names, and that nothing else was recorded.
mkdir "$work/bare"
cat "/proc/$$/maps" >"$work/bare/maps"
run 0 --json --from "$work/bare"; valid
says '"path": "/.*/ld' out
says '"pss_missing": "not-recorded"' out
exit $fail
