#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""share_end.py VMATLAS: what share says would be free if a process ended, against what the kernel
gives back to a control group when it does."""
import json
import os
import signal
import subprocess
import sys
import time

VMATLAS = os.path.abspath(sys.argv[1])
V1, V2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup"
# Workers that unshare, have memory of their own, and touch parts of one shared mapping. They say
# their PIDs and wait.
FAMILY = r"""
import mmap, os, signal
inherited = [bytes([i % 251]) * 4096 for i in range(1000)]
shared = mmap.mmap(-1, 4 << 20)
def touch(memory, start, size):
    for at in range(start, start + size, 4096):
        memory[at] = 1
def worker(k):
    own = [b"z" * 4096 for _ in range(100 * (k + 1))]
    kept = inherited[k::3]
    touch(shared, k + 1 << 20, 1 << 19)
    alone = mmap.mmap(-1, 1 << 20)
    touch(alone, 0, k + 1 << 16)
    os.write(1, b"%d\n" % os.getpid())
    signal.pause()
touch(shared, 0, 1 << 20)
for k in range(3):
    if not os.fork():
        worker(k)
os.write(1, b"%d\n" % os.getpid())
signal.pause()
"""
wrong = 0


def bad(text):
    global wrong
    wrong += 1
    print("failed:", text)


class Group:
    """A control group of memory, of version 1 or 2."""

    def __init__(self):
        top = V1 if os.path.isdir(V1) else V2
        self.path = f"{top}/vmatlas-{os.getpid()}"
        self.keys = ("rss", "shmem") if top == V1 else ("anon", "shmem")

    def make(self):
        try:
            os.mkdir(self.path)
            if set(self.keys) <= self.read().keys():
                return True
            os.rmdir(self.path)
        except OSError:
            pass
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with open(self.path + "/cgroup.procs", encoding="ascii") as file:
            for pid in map(int, file.read().split()):
                os.kill(pid, signal.SIGKILL)
        for _ in range(50):
            try:
                return os.rmdir(self.path)
            except OSError:
                time.sleep(0.1)
        return bad("the control group stays")

    def enter(self):
        with open(self.path + "/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))

    def read(self):
        with open(self.path + "/memory.stat", encoding="ascii") as file:
            return {key: int(value) for key, value in map(str.split, file)}

    def used(self):
        return sum(self.read()[key] for key in self.keys)

    def reaches(self, want):
        """The kernel adds its counters up every two seconds."""
        end = time.monotonic() + 10
        while self.used() != want and time.monotonic() < end:
            time.sleep(0.05)
        return self.used() == want


def share(pids):
    out = subprocess.run([VMATLAS, "share", "--json", *map(str, pids)], capture_output=True,
                         text=True, check=True)
    return json.loads(out.stdout)


def check(group, family):
    pids = [int(family.stdout.readline()) for _ in range(4)]
    pids.sort(key=lambda pid: pid != family.pid)
    freed = share(pids)["set"]["freed"]
    if not group.reaches(freed["anonymous"] + freed["objects"]):
        bad(f"the group has {group.used()}, the set would free {freed}")
    while len(pids) > 1:
        document, before = share(pids), group.used()
        row = next(row for row in document["processes"] if row["pid"] == pids[-1])
        os.kill(pids.pop(), signal.SIGKILL)
        if not row["freed"] or not group.reaches(before - row["freed"]):
            bad(f"a worker gave back {before - group.used()}, not {row['freed']}")
    # What the workers touched of the object is in it still, and nobody maps it.
    freed, before = share(pids)["set"]["freed"], group.used()
    family.kill()
    if before < freed["anonymous"] + freed["objects"] or not group.reaches(0):
        bad(f"the last one gave back {before - group.used()}, not {freed}")


def main():
    group = Group()
    if not group.make():
        print("skipped: no control group of memory can be made here")
        return
    with group:
        with subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True,
                              preexec_fn=group.enter) as family:
            try:
                check(group, family)
            finally:
                family.kill()


main()
sys.exit(wrong > 0)
