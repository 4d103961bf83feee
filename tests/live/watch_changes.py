#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""watch_changes.py VMATLAS WORK: watch against a program that changes in known ways."""
import json
import os
import signal
import subprocess
import sys
import time

VMATLAS, WORK = sys.argv[1:3]
PAGE = os.sysconf("SC_PAGE_SIZE")
wrong = 0


def bad(text):
    global wrong
    wrong += 1
    print(text)


def start():
    process = subprocess.Popen([WORK + "/changes", WORK + "/file"], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for line in process.stdout:
        if line.startswith("ready"):
            return process, line.split()[1]
    sys.exit("the program did not start")


def step(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
    while process.stdout.readline() != "done\n":
        pass


def watch(*args):
    begin = time.monotonic()
    watcher = subprocess.Popen([VMATLAS, "watch", "--json", *args], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watcher.begin = begin
    return watcher


def next_of(watcher):
    return json.loads(watcher.stdout.readline())


def settle(watcher):
    """Up to a sample that began after the step was done, however busy the machine is."""
    total = {}
    seen = []
    sample = {"elapsed_us": 0}
    done = (time.monotonic() - watcher.begin) * 1e6
    while sample["elapsed_us"] <= done:
        sample = next_of(watcher)
        for name, growth in sample["growth"].items():
            if isinstance(growth, int):
                total[name] = total.get(name, 0) + growth
        seen += sample["changes"] or []
    return total, seen


def steps():
    process, pid = start()
    watcher = watch("--interval", "50ms", pid)
    try:
        step(process, "write common 1")     # its first line costs memory of its own
        settle(watcher)
        for line, want, change in (
                ("heap 100", {"anon": 100, "vss": 100}, ("heap", "rss", 100)),
                ("write empty 7", {"rss": 7, "anon": 7}, ("anon", "rss", 7)),
                ("write file 3", {"copied": 3, "rss": 0}, ("file", "copied", 3)),
                ("unmap gone", {"rss": -8, "vss": -8, "vmas": -1}, ("anon", "size", -8)),
                ("forget common 64", {"rss": -64}, ("anon", "rss", -64)),
                ("protect protected", {"rss": 0, "vmas": 2}, ("anon", "rss", 0))):
            step(process, line)
            grown, seen = settle(watcher)
            for name, pages in want.items():
                size = 1 if name == "vmas" else PAGE
                if grown[name] != pages * size:
                    bad(f"{line}: {name} grew by {grown[name]}, not {pages * size}")
            role, name, pages = change
            if line.startswith("protect") and (
                    {c["change"] for c in seen} != {"split", "protection"} or
                    any(c["rss"] for c in seen)):
                bad(f"{line}: changes are {seen}")
            if not any(c["role"] == role and c[name] == pages * PAGE for c in seen):
                bad(f"{line}: changes are {seen}")
    finally:
        watcher.send_signal(signal.SIGTERM)
        watcher.communicate()
        if watcher.returncode:
            bad(f"ended with {watcher.returncode}")
        process.kill()
        process.wait()


def erosion():
    """A parent that sleeps, while its child writes what both have."""
    process = subprocess.Popen([WORK + "/changes", WORK + "/file", "fork"], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = {}
    for line in process.stdout:
        said[line.split()[0]] = line.split()[1]
        if line.startswith("ready"):
            break
    watcher = watch("--interval", "50ms", said["parent"])
    try:
        step(process, "write common 1")
        settle(watcher)
        step(process, "write common 41")
        grown, seen = settle(watcher)
        if grown["shared"] != -40 * PAGE or grown["rss"]:
            bad(f"erosion: {grown}")
        if not any(c["shared"] == -40 * PAGE for c in seen):
            bad(f"erosion: changes are {seen}")
    finally:
        watcher.terminate()
        watcher.communicate()
        process.kill()
        process.wait()


def gate():
    """A bound that is met exactly, and one that is missed by a byte."""
    for bound, status in (("delta.copied>=12K", 4), ("delta.copied>12K", 0)):
        process, pid = start()
        watcher = watch("--interval", "20ms", "--count", "25", "--fail-if", bound, pid)
        next_of(watcher)
        step(process, "write file 3")
        watcher.communicate()
        if watcher.returncode != status:
            bad(f"{bound}: exit {watcher.returncode}, not {status}")
        process.kill()
        process.wait()


def resident(pid):
    with open(f"/proc/{pid}/smaps_rollup") as text:
        return next(int(line.split()[1]) for line in text if line.startswith("Rss:"))


def memory():
    """Of watch itself, while what it watches keeps changing."""
    process, pid = start()
    watcher = watch("--interval", "10ms", pid)
    sizes = []
    for number in range(240):
        next_of(watcher)
        step(process, f"heap {1 + number % 3}")
        if number % 80 == 79:
            sizes.append(resident(watcher.pid))
    watcher.terminate()
    watcher.communicate()
    process.kill()
    process.wait()
    if sizes[2] > sizes[0] + 256:
        bad(f"memory of watch grows: {sizes} KiB")


steps()
erosion()
gate()
memory()
sys.exit(1 if wrong else 0)
