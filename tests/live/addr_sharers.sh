#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who else maps a frame, against processes that tests/tools/memstate made.
. "${srcdir:-.}/tests/live/common.sh"
needs_root 'frame numbers need'
needs python3
validate=$top/tests/cli/validate.py

# The nth expect line of the first process that has this state: its address
page_in() {
	awk -v state="$1" '/^child/ { exit } /^expect/ && $4 == state { print $2; exit }' out
}

# ask ADDRESS OPTION: the PIDs that share it, found and counted
ask() {
	"$vmatlas" addr "$state_pid" "$1" "$2" --json >answer 2>err2 || bad "addr: $(cat err2)"
	"$validate" addr answer >invalid
	[ $? = 0 ] || [ $? = 77 ] || bad "$(cat invalid)"
	python3 -c '
import json
a = json.load(open("answer"))["addresses"][0]
s = a["sharing"]
print(" ".join(str(x["pid"]) for x in a["sharers"]) or "-", s["found"], s["counted"], s["searched"],
      "explained" if s["why"] or s["found"] == s["counted"] else "unexplained",
      "same" if all(x["address"] == a["address"] for x in a["sharers"]) else "elsewhere")'
}

start() {
	state_start "$tools/memstate" "$1"
	case $? in
	0) children=$(sed -n 's/^child //p' out | tr '\n' ' ' | sed 's/ $//') ;;
	77) echo "$1: $(cat out err)"; return 1 ;;
	*) bad "$1: memstate failed: $(cat out err)"; return 1 ;;
	esac
}

check() { # STATE PAGE-STATE OPTION EXPECTED
	start "$1" || return
	answer=$(ask "$(page_in "$2")" "$3")
	expected=$(echo "$4" | sed "s/CHILDREN/$children/")
	[ "$answer" = "$expected" ] || bad "$1 $2 $3: '$answer', not '$expected'"
	state_stop
}

check forked anon-shared --sharers "CHILDREN 2 2 family explained same"
check forked anon-shared --all "CHILDREN 2 2 all explained same"
check two-children anon-shared --sharers "CHILDREN 3 3 family explained same"
check copies-forked copy-shared --sharers "CHILDREN 2 2 family explained same"
check anon-written anon --sharers "- 1 1 family explained same"
check thp-forked anon-shared --sharers "CHILDREN 2 2 family explained same"

# The same page of a file, mapped twice by one process.
if start file-twice; then
	answer=$(ask "$(page_in file)" --sharers)
	[ "$answer" = "$state_pid 2 2 object explained elsewhere" ] || bad "file-twice: $answer"
	state_stop
fi

# Merged pages lie anywhere: only a search of everything finds them.
if start ksm; then
	answer=$(ask "$(page_in ksm)" --all)
	case $answer in
	*" all explained "*) ;;
	*) bad "ksm: $answer" ;;
	esac
	counted=$(echo "$answer" | awk '{ print $(NF - 3) }')
	found=$(echo "$answer" | awk '{ print $(NF - 4) }')
	[ "$counted" -gt 1 ] && [ "$found" = "$counted" ] || bad "ksm: $answer"
	state_stop
fi

# Without the option no other process is opened.
if start forked; then
	if command -v strace >/dev/null; then
		strace -f -e trace=openat,open -o trace "$vmatlas" addr "$state_pid" "$(page_in anon-shared)" >/dev/null
		for child in $children; do
			! grep -q "\"$child[/\"]" trace || bad "process $child was touched"
		done
	fi
	state_stop
fi
exit $fail
