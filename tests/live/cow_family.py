#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cow_family.py VMATLAS MEMSTATE: who wrote after fork, seen from both sides."""
import json
import mmap
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import memstate  # noqa: E402 pylint: disable=wrong-import-position

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


def check(name, want):
    with memstate.State(MEMSTATE, name) as state:
        parent, child = map(str, state.pids)
        address = int(state.lines("expect")[0][0], 16)
        shared, by_parent, by_child = want
        wrong = 0
        for pid, relative, expected in (
                (parent, child, want), (child, parent, (shared, by_child, by_parent))):
            found = pages(pid, relative, address)
            if found != expected:
                print(f"{name}: {found} pages shared, written here, there; not {expected}")
                wrong += 1
        return wrong


def write_pages(memory, pages):
    for i in range(pages):
        memory[i * PAGE] = 2


def fork_writers(memory, count):
    """Children that wrote 1, 2, 3 ... pages of the memory and wait; what to close, and PIDs."""
    hold, ready, pids = os.pipe(), os.pipe(), []
    for i in range(count):
        pid = os.fork()
        if not pid:
            os.close(hold[1])
            write_pages(memory, i + 1)
            os.write(ready[1], b"x")
            os.read(hold[0], 1)
            os._exit(0)
        pids.append(pid)
    for _ in range(count):
        os.read(ready[0], 1)
    return hold[1], pids


def text_rows(title, *options):
    out = subprocess.run([VMATLAS, "cow", "--family", *options, str(os.getpid())], text=True,
                         capture_output=True, check=True).stdout
    lines = out[out.index(title):].splitlines()[2:]
    rows = [line.split() for line in lines[:lines.index("") if "" in lines else None]]
    return [row for row in rows if row[0].isdigit() and row[1] != "more"], out


def check_many(count=25):
    """People see the children that wrote most; everything else is there on demand."""
    memory = mmap.mmap(-1, 512 * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    write_pages(memory, 512)
    hold, pids = fork_writers(memory, count)
    try:
        found = {member["pid"]: member for member in family(str(os.getpid()))["members"]}
        rows, out = text_rows("Still shared with relatives")
        children = [int(row[0]) for row in rows if row[1] == "child"]
        every = [int(row[0]) for row in text_rows("Still shared with relatives", "-v")[0]]
        diverged = [found[pid]["written_there"] for pid in pids]
        wrong = [] if set(pids) <= set(found) else ["JSON does not have all children"]
        # Each wrote a page more than the one before it, and Python some of its own.
        if any(abs(pages - diverged[0] - i * PAGE) > 4 * PAGE for i, pages in enumerate(diverged)):
            wrong.append(f"children wrote {diverged}")
        if len(rows) != 20 or not re.search(r"[0-9]+ more rows with less", out):
            wrong.append(f"{len(rows)} rows of {count + 1}")
        if not set(children) <= set(pids[count - 22:]):
            wrong.append(f"not the heaviest: {children} of {pids}")
        if not set(pids) <= set(every):
            wrong.append("-v does not list all")
        print("\n".join(wrong), end="")
        return len(wrong)
    finally:
        os.close(hold)
        for pid in pids:
            os.waitpid(pid, 0)


def main():
    wrong = sum(check(state, want) for state, want in STATES.items())
    wrong += check_many()
    fork = family(str(os.getpid()))["fork"]
    if not fork["table_bytes"] or fork["protected_bytes"] != fork["worst_case_copies"]:
        print(f"a fork of this process costs {fork}")
        wrong += 1
    return 1 if wrong else 0


sys.exit(main())
