#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every page that memstate describes, asked for with addr: state, leaf, mappings, exclusive mark and
# what the next accesses would do.
. "${srcdir:-.}/tests/live/common.sh"
needs_root 'the page states of others need'
needs python3
total=0

cat >compare.py <<'EOP'
import json, re, subprocess, sys

vmatlas, state = sys.argv[1:]
pid, claims = None, {}
for line in open("out"):
    words = line.split()
    if line.startswith("ready pid="):
        pid = words[1][4:]
    elif words[0] in ("pid", "child"):
        pid = words[1]
    elif words[0] == "expect":
        claims.setdefault(pid, []).append((int(words[1], 16), int(words[2], 16), words[3],
                                           dict(w.split("=") for w in words[4:])))


def differences(a, state, want):
    page = a["page"]
    got = page["state"] if page else "unmapped"
    if got != state:
        yield "state", state, got
    for key, value in want.items():
        if key.startswith("next_"):
            touch = {"exec": "execute"}.get(key[5:], key[5:])
            got = a["accesses"][touch]["effect"]
        else:
            got = page[key]
            got = {True: "true", False: "false", None: "null"}.get(got, str(got)) \
                if key == "exclusive" else str(got)
        if got != value:
            yield key, value, got


bad = count = 0
for pid, runs in claims.items():
    # The first and the last page of each run; a run may be large.
    asked = [(at, s, want) for start, end, s, want in runs for at in {start, end - 4096}]
    text = "\n".join(hex(at) for at, _, _ in asked)
    done = subprocess.run([vmatlas, "addr", pid, "-", "--json"], input=text, text=True,
                          capture_output=True)
    document = json.loads(done.stdout)
    for a, (at, s, want) in zip(document["addresses"], asked, strict=True):
        count += 1
        for key, value, got in differences(a, s, want):
            print(f"{state}: pid {pid} {at:#x} {s}: {key} is {got}, not {value}")
            bad = 1
print(count, file=open("count", "w"))
sys.exit(bad)
EOP

for state in $("$tools/memstate" --list | cut -d' ' -f1); do
	state_start "$tools/memstate" "$state"
	status=$?
	[ $status = 77 ] && { echo "$state: $(cat out err)"; continue; }
	[ $status = 0 ] || { echo "$state: memstate failed"; cat out err; fail=1; continue; }
	python3 compare.py "$vmatlas" "$state" || fail=1
	total=$((total + $(cat count)))
	state_stop
done
echo "$total pages compared"
[ $total -ge 200 ] || fail=1
exit $fail
