#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cow_family.py VMATLAS MEMSTATE: who wrote after fork, seen from both sides."""
import json
import os
import subprocess
import sys

VMATLAS, MEMSTATE = sys.argv[1:3]
PAGE = os.sysconf("SC_PAGE_SIZE")
# State: pages of the area that are shared, written by the parent, written by the child.
STATES = {"forked": (4, 0, 0), "child-wrote": (3, 0, 3), "parent-wrote": (3, 3, 0)}


def family(pid):
    out = subprocess.run([VMATLAS, "cow", "--json", "--family", pid], capture_output=True,
                         text=True, check=True)
    return json.loads(out.stdout)["family"]


def pages(pid, relative, address):
    """Shared, written here, written there: pages of the VMA with the address."""
    for vma in family(pid)["vmas"]:
        if vma["pid"] == int(relative) and int(vma["start"], 16) <= address < int(vma["end"], 16):
            return tuple(vma[key] // PAGE for key in ("shared", "written_here", "written_there"))
    return None


def check(state, want):
    process = subprocess.Popen([MEMSTATE, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    parent = child = address = None
    try:
        for line in process.stdout:
            words = line.split()
            if words[0] == "ready":
                parent = words[1].removeprefix("pid=")
            elif words[0] == "child":
                child = words[1]
            elif words[0] == "expect" and address is None:
                address = int(words[1], 16)
            elif words[0] == "end":
                break
        shared, by_parent, by_child = want
        wrong = 0
        for pid, relative, expected in (
                (parent, child, want), (child, parent, (shared, by_child, by_parent))):
            found = pages(pid, relative, address)
            if found is None or any(f < e for f, e in zip(found, expected)):
                print(f"{state}: {found} pages shared, written here, there; not {expected}")
                wrong += 1
        return wrong
    finally:
        process.stdin.close()
        process.terminate()
        process.wait()


def main():
    wrong = sum(check(state, want) for state, want in STATES.items())
    fork = family(str(os.getpid()))["fork"]
    if not fork["table_bytes"] or fork["protected_bytes"] != fork["worst_case_copies"]:
        print(f"a fork of this process costs {fork}")
        wrong += 1
    return 1 if wrong else 0


sys.exit(main())
