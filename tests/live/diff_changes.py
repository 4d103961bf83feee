#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""diff_changes.py VMATLAS WORK MEMSTATE: diff against a program that changes in known ways.

A parent stays as it was forked and its child takes the steps, so that both states are there at once.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import memstate  # noqa: E402 pylint: disable=wrong-import-position

VMATLAS, WORK, MEMSTATE = sys.argv[1:4]
PAGE = os.sysconf("SC_PAGE_SIZE")
wrong = 0


def bad(text):
    global wrong
    wrong += 1
    print(text)


class Changes:
    """The program, and where its regions are."""

    def __init__(self, *args):
        self.process = subprocess.Popen([WORK + "/changes", WORK + "/file", *args], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.regions = {}
        self.parent = None
        for line in self.process.stdout:
            words = line.split()
            if words[0] == "region":
                self.regions[words[1]] = (int(words[2], 16), int(words[3]))
            elif words[0] == "parent":
                self.parent = words[1]
            elif words[0] == "ready":
                self.pid = words[1]
                break

    def step(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        said = []
        for answer in self.process.stdout:
            if answer == "done\n":
                return said
            said += answer.split()
        sys.exit("the program ended in " + line)

    def end(self):
        self.process.kill()
        self.process.wait()


def diff(*args, status=0):
    out = subprocess.run([VMATLAS, "diff", "--json", *args], capture_output=True, text=True)
    if out.returncode != status:
        sys.exit(f"diff {args}: exit {out.returncode}: {out.stderr}")
    return json.loads(out.stdout)


def rows_of(document, start, pages):
    """Rows whose range before, or after, begins in the region."""
    found = []
    for row in document["vmas"]:
        side = row["before"] or row["after"]
        if start <= int(side["start"], 16) < start + pages * PAGE:
            found.append(row)
    return found


def rollup(pid):
    with open(f"/proc/{pid}/smaps_rollup") as text:
        return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in text if " kB" in line}


def expect(changes, document, region, want):
    """want: changes, pages, and where they are known frames, of each row."""
    start, pages = changes.regions[region]
    rows = rows_of(document, start, pages)
    if len(rows) != len(want):
        return bad(f"{region}: {len(rows)} rows, not {len(want)}: {rows}")
    for row, (what, states, *frames) in zip(rows, want):
        if row["changes"] != what:
            bad(f"{region}: {row['changes']}, not {what}")
        if row["pages"] != states:
            bad(f"{region}: {row['pages']}, not {states}")
        if frames and row["frames"] != frames[0]:
            bad(f"{region}: frames {row['frames']}, not {frames[0]}")
    return None


def check_totals(document, before, after):
    """Sums of all pages are those of the kernel."""
    for name, key in (("rss", "Rss"), ("swap", "Swap")):
        for side, pid in (("before", before), ("after", after)):
            got, kernel = document["totals"][name][side], rollup(pid)[key]
            if got != kernel:
                bad(f"{name} {side} is {got}, the kernel says {kernel}")
    for name in ("rss", "uss", "copied", "shared"):
        for side in ("before", "after"):
            total = document["totals"][name][side]
            for parts in ("vmas", "classes"):
                got = sum(part[name][side] for part in document[parts])
                if got != total:
                    bad(f"{name} {side} of {parts} is {got}, not {total}")
    moved = sum(row["pages"] for row in document["transitions"])
    rows = sum(n for row in document["vmas"] for n in row["pages"].values())
    if moved != rows:
        bad(f"{moved} pages in transitions, {rows} in rows")


def forked():
    changes = Changes("fork")
    parent, child = changes.parent, changes.pid
    try:
        document = diff(parent, child)
        if document["relation"] != "fork":
            bad(f"a fork is {document['relation']}")
        expect(changes, document, "common",
               [(["same"], {"anon-shared>anon-shared": 64}, {"same": 64, "other": 0})])
        for line in ("write common 10", "write empty 5", "touch file", "write file 3",
                     "protect protected", "unmap gone", "heap 20", "forget forgotten 6",
                     "grow grown 7", "global 5"):
            changes.step(line)
        to = changes.step("move moved")[1]
        document = diff("--exit-code", parent, child, status=4)
        expect(changes, document, "common",
               [(["same"], {"anon>anon": 10, "anon-shared>anon-shared": 54},
                 {"same": 54, "other": 10})])
        expect(changes, document, "empty",
               [(["same"], {"untouched>anon": 5, "untouched>untouched": 27})])
        expect(changes, document, "file", [(["same"], {"file>copy": 3, "file>file": 13})])
        expect(changes, document, "protected", [
            (["split"], {"anon-shared>anon-shared": 4}),
            (["protection", "split"], {"anon-shared>anon-shared": 4}, {"same": 4, "other": 0}),
            (["split"], {"anon-shared>anon-shared": 4})])
        expect(changes, document, "gone", [(["removed"], {"anon>unmapped": 8})])
        expect(changes, document, "forgotten",
               [(["same"], {"anon>untouched": 6, "anon-shared>anon-shared": 14})])
        expect(changes, document, "grown",
               [(["grown"], {"anon-shared>anon-shared": 10, "unmapped>untouched": 7})])
        expect(changes, document, "moved", [(["moved"], {"anon-shared>anon-shared": 24},
                                             {"same": 24, "other": 0})])
        moved = rows_of(document, *changes.regions["moved"])
        if moved and (moved[0]["after"]["start"] != to or moved[0]["certainty"] != "observed"):
            bad(f"moved: {moved[0]}")
        heap = [r for r in document["vmas"] if (r["after"] or {}).get("path") == "[heap]"]
        # After a fork the kernel does not merge what is new with what was inherited.
        if sum(r["pages"].get("unmapped>anon", 0) for r in heap) != 20:
            bad(f"heap: {heap}")
        meanings = {(t["from"], t["to"], t["frame"]): t["meaning"] for t in document["transitions"]}
        if not (meanings["anon", "anon", "other"] or "").startswith("each has its own"):
            bad(f"of a fork and its parent: {meanings}")
        check_symbols(document)
        check_totals(document, parent, child)
        check_parts(changes)
    finally:
        changes.end()


def check_symbols(document):
    """Which file was written, and of the program which symbol: five pages of its table."""
    files = {f["path"].rsplit("/", 1)[1]: f for f in document["files"]}
    if files["file"]["new_copies"] != 3 or files["file"]["changed"] != 3:
        bad(f"the mapped file: {files['file']}")
    symbols = {s["name"]: s["pages"] for cause in files["changes"]["causes"]
               for s in cause["symbols"] if cause["cause"] == "data-write"}
    if symbols.get("written_table") != 5:
        bad(f"symbols: {symbols}")


def check_parts(changes):
    """--range and --vma compare no more than they say."""
    start, pages = changes.regions["common"]
    document = diff("--range", f"{start:x}+{pages * PAGE:x}", changes.parent, changes.pid)
    if len(document["vmas"]) != 1 or document["totals"]["rss"]["after"] != 64 * PAGE:
        bad(f"--range: {document['vmas']} {document['totals']['rss']}")


def documents(*args, status=0):
    out = subprocess.run([VMATLAS, "diff", "--json", *args], capture_output=True, text=True)
    if out.returncode != status:
        bad(f"diff {args}: exit {out.returncode}: {out.stderr}")
    found, at, decoder = [], 0, json.JSONDecoder()
    while at < len(out.stdout):
        document, end = decoder.raw_decode(out.stdout, at)
        found.append(document)
        at = end + 1
    return found


def record(name, *pids):
    path = f"{WORK}/{name}"
    subprocess.run([VMATLAS, "record", *pids, path], check=True, capture_output=True)
    return path


def frames_of(document):
    """Pages by transition and frame, without what did not change."""
    return {(t["from"], t["to"], t["frame"]): t["pages"] for t in document["transitions"]
            if t["from"] != t["to"] and t["to"] != "file" and t["from"] != "file"}


def recorded():
    """A family at two times, from a folder and an archive; and a recording of what stands still."""
    changes = Changes("fork")
    parent, child = changes.parent, changes.pid
    try:
        first = record("first", parent, child)
        document = diff("--exit-code", first + ":" + child, child)
        if document["differs"] or document["relation"] != "same":
            bad("a recording differs from the process that stood still")
        diff("--exit-code", child, first)
        changes.step("write common 30")
        changes.step("move moved")
        second = record("second.tar.zst", parent, child)
        found = documents("--exit-code", first, second, status=4)
        if len(found) != 3:
            sys.exit(f"{len(found)} documents of two processes")
        by_pid = {str(d["process"]["pid"]): frames_of(d) for d in found[:2]}
        if by_pid[parent] != {("anon-shared", "anon", "same"): 30}:
            bad(f"the parent: {by_pid[parent]}")
        if by_pid[child] != {("anon-shared", "anon", "other"): 30}:
            bad(f"the child: {by_pid[child]}")
        said = [t["meaning"] for d in found[:2] for t in d["transitions"]]
        if "copied since" not in said:
            bad("nothing says that pages were copied since")
        if "moved" not in [row["change"] for d in found[:2] for row in d["vmas"]]:
            bad("mremap between two recordings is not seen")
        eroded = {str(p["pid"]): p["eroded"] for p in found[2]["processes"]}
        if eroded != {parent: 0, child: 30}:
            bad(f"erosion: {eroded}")
        for name in ("rss", "uss", "copied", "shared"):
            for side in ("before", "after"):
                total = sum(d["totals"][name][side] for d in found[:2])
                if found[2]["totals"][name][side] != total:
                    bad(f"family: {name} {side} is not the sum {total}")
        alone = record("alone", parent)
        found = documents("--exit-code", second, alone)
        if [d["process"]["pid"] for d in found] != [int(parent)]:
            bad("one process against several is not compared with its namesake")
        found = documents("--exit-code", first + ":" + parent, second + ":" + child, status=4)
        if found[0]["relation"] != "fork":
            bad("parent and child of two snapshots are no fork")
    finally:
        changes.end()


def sparse():
    """More runs than are held at once, on both sides."""
    changes = Changes()
    try:
        at = int(changes.step("sparse 600000")[1], 16)
        document = diff("--exit-code", changes.pid, changes.pid)
        row = rows_of(document, at, 1200000)[0]
        if row["pages"] != {"zero>zero": 600000, "untouched>untouched": 600000}:
            bad(f"sparse: {row['pages']}")
        check_totals(document, changes.pid, changes.pid)
    finally:
        changes.end()


def swapped():
    """With swap as long as memstate holds it."""
    with memstate.State(MEMSTATE, "swapped", cwd=WORK) as state:
        if state.ready:
            paged_out()
        else:
            print(f"swap was not tested: {state.why}")


def paged_out():
    changes = Changes("fork")
    try:
        changes.step("write swapped 16")
        for _ in range(50):
            changes.step("pageout swapped")
            document = diff(changes.parent, changes.pid)
            rows = rows_of(document, *changes.regions["swapped"])
            if rows[0]["pages"] == {"anon>swap": 16}:
                break
        else:
            bad(f"swapped: {rows}")
        check_totals(document, changes.parent, changes.pid)
        if document["totals"]["swap"]["delta"] != 16 * PAGE:
            bad(f"swap grew by {document['totals']['swap']}")
    finally:
        changes.end()


forked()
recorded()
sparse()
swapped()
sys.exit(1 if wrong else 0)
