#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cow_states.py VMATLAS MEMSTATE [STATE...]: every page that memstate expects, against cow --pages."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import memstate  # noqa: E402 pylint: disable=wrong-import-position

VMATLAS, MEMSTATE = sys.argv[1:3]
PAGE = 4096
# Of an untouched page: cow asks neither the page cache nor the size of files nor the hugetlb pool.
COSTLY = ("copy", "allocate", "read-in", "unknown")      # what vmatlas-cow(1) defines
NOT_FORETOLD = ("bus", "read-in")


def pages_of(pid, *options):
    out = subprocess.run([VMATLAS, "cow", "--json", "--pages", *options, pid],
                         capture_output=True, text=True)
    if out.returncode or out.stderr:
        raise AssertionError(f"exit {out.returncode}: {out.stderr}")
    document = json.loads(out.stdout)
    for vma in document["vmas"]:
        cost = sum(pages for effect, pages in vma["next_write"].items() if effect in COSTLY) * PAGE
        if vma["write_cost"] != cost:
            raise AssertionError(f"{vma['start']}: write_cost is {vma['write_cost']}, not {cost}")
    return {int(run["start"], 16) + i * PAGE: run
            for vma in document["vmas"] for run in vma["runs"] for i in range(run["pages"])}


def word(value):
    return {True: "true", False: "false", None: "null"}.get(value, str(value)) \
        if isinstance(value, (bool, type(None))) else str(value)


def differences(run, want, attrs):
    if run is None:
        return [] if want == "unmapped" else ["not in any run"]
    if want == "unmapped":
        return []       # a neighbour may have been mapped since
    found = [] if run["state"] == want else [f"state is {run['state']}"]
    for key, value in attrs.items():
        if key == "next_exec" or (want == "untouched" and value in NOT_FORETOLD):
            continue
        if word(run[key]) != value:
            found.append(f"{key} is {word(run[key])}, not {value}")
    return found


def check(state, lines):
    pid, pages, bad, checked = None, {}, 0, 0
    for line in lines:
        if line[0] in ("pid", "child", "ready"):
            pid = line[1].removeprefix("pid=")
        if line[0] != "expect":
            continue
        if pid not in pages:
            pages[pid] = pages_of(pid)
        attrs = dict(item.split("=", 1) for item in line[4:])
        for address in range(int(line[1], 16), int(line[2], 16), PAGE):
            found = differences(pages[pid].get(address), line[3], attrs)
            checked += 1
            bad += bool(found)
            if found and bad < 4:
                print(f"{state}: {address:#x} is to be {line[3]}: {', '.join(found)}")
    return bad, checked


def run_state(name):
    with memstate.State(MEMSTATE, name) as state:
        if state.ready:
            return check(name, state.said)
        print(f"{name}: not made: {state.why}")
        return 0 if state.lines("skip") else 1, 0


def main():
    states = sys.argv[3:] or [line.split()[0] for line in subprocess.check_output(
        [MEMSTATE, "--list"], text=True).splitlines() if line.strip()]
    wrong, total = 0, 0
    for state in states:
        bad, checked = run_state(state)
        wrong += bad
        total += checked
    print(f"{len(states)} states, {total} pages, {wrong} wrong")
    return 1 if wrong or not total else 0


sys.exit(main())
