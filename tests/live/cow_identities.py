#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cow_identities.py VMATLAS MEMSTATE: sums over the pages of cow against smaps, VMA by VMA.

A VMA counts when its smaps is the same before and after, and one of a file only when no other
process began or ended meanwhile: who shares its pages changes with each. A few tries. Processes: two
stopped ones of its own and every readable one of the machine.
"""
import fcntl
import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import memstate  # noqa: E402 pylint: disable=wrong-import-position

VMATLAS, MEMSTATE = sys.argv[1:3]
TRIES = 8
PAGE = os.sysconf("SC_PAGE_SIZE")
ANONYMOUS = {"anon", "anon-shared", "copy", "copy-shared", "ksm"}
HEADER = re.compile(rb"([0-9a-f]+)-[0-9a-f]+ ...(.) ")


def smaps_of(pid):
    vmas = {}
    with open(f"/proc/{pid}/smaps", "rb") as file:
        for line in file:
            header = HEADER.match(line)
            if header:
                vma = vmas[int(header[1], 16)] = {"shared": header[2] == b"s", "flags": []}
                continue
            key, _, rest = line.decode("ascii", "replace").partition(":")
            words = rest.split()
            if key == "VmFlags":
                vma["flags"] = words
            elif words[1:] == ["kB"]:
                vma[key] = int(words[0]) * 1024
    return vmas


def counters(vmas):
    """Without what ages by itself."""
    return {start: {key: value for key, value in vma.items()
                    if key not in ("Referenced", "LazyFree")}
            for start, vma in vmas.items()}


def observe(pid):
    """The document, and smaps as it is while vmatlas still runs: it maps pages of libraries itself.

    Its output does not fit into the pipe, so it waits there until smaps has been read.
    """
    with subprocess.Popen([VMATLAS, "cow", "--json", "--pages", "--no-causes", str(pid)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PAGE)
        text = os.read(process.stdout.fileno(), 1)
        smaps = smaps_of(pid)
        text += process.stdout.read()
    return (json.loads(text) if process.returncode == 0 else None), smaps


def page_sums(vma):
    sums = {"Anonymous": 0, "AnonHugePages": 0, "private": 0, "shared": 0}
    for run in vma["runs"]:
        size = run["pages"] * PAGE
        if run["leaf"] is None or run["state"] == "zero":
            continue
        if run["state"] in ANONYMOUS:
            sums["Anonymous"] += size
            sums["AnonHugePages"] += size if run["leaf"] == "2M" else 0
        sums["private" if run["mappings"] == 1 else "shared"] += size
    return sums


def compare_vma(vma, smaps):
    if "ht" in smaps["flags"]:
        return [] if vma["rss"] == smaps["Rss"] == 0 else ["hugetlb is no Rss"]
    sums = page_sums(vma)
    private = smaps["Private_Clean"] + smaps["Private_Dirty"]
    rows = [("Rss", vma["rss"], smaps["Rss"]),
            ("Private_*", sums["private"], private),
            ("uss", vma["uss"], private),
            ("Shared_*", sums["shared"], smaps["Shared_Clean"] + smaps["Shared_Dirty"]),
            ("Anonymous", sums["Anonymous"], smaps["Anonymous"]),
            ("AnonHugePages", sums["AnonHugePages"], smaps["AnonHugePages"])]
    if not smaps["shared"]:
        rows.append(("Swap", vma["swap"], smaps["Swap"]))
    found = [f"{name} is {ours}, smaps says {theirs}" for name, ours, theirs in rows
             if ours != theirs]
    if abs(vma["pss"] - smaps["Pss"]) >= 1024:
        found.append(f"Pss is {vma['pss']}, smaps says {smaps['Pss']}")
    return found


def compare(document, before, after):
    """For each VMA that smaps shows the same before and after: what differs."""
    found = {}
    for vma in document["vmas"]:
        start = int(vma["start"], 16)
        if start in before and before[start] == after.get(start):
            found[start] = [f"{vma['start']} {vma['role']} {vma['path']}: {text}"
                            for text in compare_vma(vma, after[start])]
    total = document["totals"]
    found[None] = [f"total {key} is not the sum"
                   for key in ("rss", "uss", "swap", "copied", "shared", "write_cost")
                   if total[key] != sum(vma[key] for vma in document["vmas"])]
    return found


def others_now():
    """Forks of the machine so far, and its processes."""
    with open("/proc/stat", encoding="ascii") as file:
        forks = next(int(line.split()[1]) for line in file if line.startswith("processes "))
    return forks, {p for p in os.listdir("/proc") if p.isdigit()}


def is_file(vma):
    return (vma["path"] or "").startswith("/")


def check(pid):
    """What differs in each try, how many VMAs agree, and how many could not be compared."""
    agreed, differs, every = set(), {}, set()
    for _ in range(TRIES):
        try:
            forks, others = others_now()
            before = counters(observe(pid)[1])
            document, after = observe(pid)
            calm = others_now() == (forks + 2, others)
        except OSError:
            break
        if not before or document is None:
            break
        files = {int(vma["start"], 16) for vma in document["vmas"] if is_file(vma)}
        for start, found in compare(document, before, counters(after)).items():
            if found and start in files and not calm:
                continue
            differs[start] = found
            if not found:
                agreed.add(start)
        every |= set(after)
        if agreed >= every:
            break
    found = [text for start, texts in differs.items() if start not in agreed for text in texts]
    return found, len(agreed & every), len(every - agreed)


def check_all(pids):
    wrong = compared = busy = 0
    for pid in pids:
        found, done, left = check(pid)
        for text in found[:5]:
            print(f"process {pid}: {text}")
        wrong += bool(found)
        compared += done
        busy += left
    return wrong, compared, busy


def check_quiet():
    """memstate and its child, stopped: nothing of theirs changes but pages of files."""
    with memstate.State(MEMSTATE, "copies-forked") as state:
        pids = list(map(str, state.pids))
        try:
            for pid in state.pids:
                os.kill(pid, signal.SIGSTOP)
            wrong, compared, _ = check_all(pids)
        finally:
            for pid in state.pids:
                os.kill(pid, signal.SIGCONT)
    if compared < 10:
        print(f"only {compared} VMAs of the stopped processes could be compared")
        wrong += 1
    return wrong


def main():
    wrong = check_quiet()
    others = [name for name in os.listdir("/proc")
              if name.isdigit() and name != str(os.getpid())]
    more, vmas, busy = check_all(others)
    print(f"{vmas} VMAs of {len(others)} processes compared with smaps, {busy} changed all the "
          f"time; {wrong + more} processes differ")
    return 1 if wrong + more or not vmas else 0


sys.exit(main())
