#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""record_stop.py VMATLAS: a recording that ends half-way leaves nothing and says why.

Interrupts recordings of a large process as soon as they have begun to write; one that was quicker is
tried again. The same when the recorded process ends meanwhile, and when one of a set does.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

vmatlas = os.path.abspath(sys.argv[1])
# Anonymous pages in no order, so that their frames are in none: many runs, much to write.
TARGET = """
import mmap, random, time
m = mmap.mmap(-1, 384 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
if hasattr(m, "madvise"):
    m.madvise(15)
for page in range(0, 384 << 20, 4096):
    m[page] = 1
print("ready", flush=True)
time.sleep(1000)
"""
wrong = 0


def bad(what):
    global wrong
    wrong += 1
    print("failed:", what)


def target():
    child = subprocess.Popen([sys.executable, "-c", TARGET], stdout=subprocess.PIPE)
    child.stdout.readline()
    return child


def begin(arguments, folder):
    """A recording that has begun to write."""
    child = subprocess.Popen([vmatlas, "record", *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             preexec_fn=lambda: [signal.signal(s, signal.SIG_DFL)
                                                 for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)])
    while child.poll() is None and not os.listdir(folder):
        time.sleep(0.001)
    return child


def attempt(what, arguments, name, act, words):
    """True if the recording was hit half-way, and behaved."""
    with tempfile.TemporaryDirectory() as folder:
        child = begin(arguments + [f"{folder}/{name}"], folder)
        time.sleep(0.01)
        act(child)
        said = child.communicate()[1].decode()
        if child.returncode == 0:
            return False
        if child.returncode != 1:
            bad(f"{what}: exit {child.returncode}: {said}")
        if os.listdir(folder):
            bad(f"{what}: {os.listdir(folder)} is left")
        if not any(w in said for w in words) or len(said.splitlines()) != 1:
            bad(f"{what}: said {said!r}")
        return True


def until(what, *rest, renew=lambda: None):
    for _ in range(20):
        if attempt(what, *rest):
            return
        renew()
    bad(f"{what}: never hit half-way")


def main():
    big = target()
    for name in "folder", "archive.tar.zst":
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            until(f"{name}, {number.name}", [str(big.pid)], name, lambda child: child.send_signal(number),
                  ["interrupted"])
    # An ignored signal stays ignored, as under nohup.
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen(["nohup", vmatlas, "record", str(big.pid), f"{folder}/x"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while child.poll() is None and not os.listdir(folder):
            time.sleep(0.001)
        child.send_signal(signal.SIGHUP)
        if child.wait() or os.listdir(folder) != ["x"]:
            bad("a recording under nohup ended by SIGHUP")
    victim = [None]

    def end(child):
        victim[0].kill()
        victim[0].wait()

    for name in "folder", "archive.tar.zst":
        for _ in range(10):
            victim[0] = target()
            if attempt(f"{name}, process ends", [str(victim[0].pid)], name, end, ["ended", "is just ending", "has no address space"]):
                break
        else:
            bad(f"{name}: the process never ended half-way")
    # Of a set it is left out.
    for _ in range(10):
        victim[0] = target()
        with tempfile.TemporaryDirectory() as folder:
            child = begin(["--tree", str(os.getpid()), f"{folder}/set"], folder)
            end(child)
            said = child.communicate()[1].decode()
            manifest = open(f"{folder}/set/manifest").read() if child.returncode == 0 else ""
            if child.returncode:
                bad(f"a set of which one ends: exit {child.returncode}: {said}")
            if f"process {victim[0].pid}\n" in manifest:
                continue
            if f"process {big.pid}\n" not in manifest:
                bad("the others of the set are not recorded")
            if f"{victim[0].pid} E" not in open(f"{folder}/set/missing").read() or "left out" not in said:
                bad("the one left out is not named")
            if os.path.exists(f"{folder}/set/{victim[0].pid}"):
                bad("the one left out has a folder")
            break
    else:
        bad("none of the set ended half-way")
    big.kill()
    return wrong != 0


sys.exit(main())
