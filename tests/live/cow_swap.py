#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cow_swap.py VMATLAS MEMSTATE: copied pages of libraries that are in swap.

What relocation did to them the file tells; their bytes must not be read, as that would bring them in.
"""
import ctypes
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import memstate  # noqa: E402 pylint: disable=wrong-import-position

VMATLAS, MEMSTATE = sys.argv[1:3]
PAGE = os.sysconf("SC_PAGE_SIZE")
PROCESS_MADVISE = 440
MADV_PAGEOUT = 21


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


def smaps(pid):
    """Bytes in swap of each private mapping of a file, by start and end."""
    found, key = {}, None
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                start, end = words[0].split("-")
                key = (int(start, 16), int(end, 16)) if words[-1].startswith("/") else None
            elif words[0] == "Swap:" and key:
                found[key] = int(words[1]) * 1024
    return found


def page_out(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.pidfd_open(pid)
    # Once may not do: pages wait on the way to their list.
    for _ in range(3):
        for start, end in smaps(pid):
            vector = Iovec(start, end - start)
            libc.syscall(PROCESS_MADVISE, fd, ctypes.byref(vector), 1, MADV_PAGEOUT, 0)
    os.close(fd)


def check(pid):
    before = smaps(pid)
    swapped = {start: size for (start, _), size in before.items() if size}
    if not swapped:
        print("skipped: the kernel did not swap the copies of another process out")
        return 77
    out = subprocess.run([VMATLAS, "cow", "--json", str(pid)], capture_output=True, text=True,
                         check=True).stdout
    wrong = 0 if smaps(pid) == before else 1
    if wrong:
        print("looking changed what is in swap")
    relro = 0
    for vma in json.loads(out)["vmas"]:
        size = swapped.get(int(vma["start"], 16), 0)
        told = [cause["swapped_pages"] for cause in vma["causes"] or []
                if cause["cause"] == "relocation"]
        if vma["path"] and vma["path"].startswith("/") and vma["swap"] != size:
            print(f"{vma['start']}: {vma['swap']} in swap, not {size}")
            wrong += 1
        if size and vma["role"] == "relro":
            relro += 1
            if told != [size // PAGE]:
                print(f"{vma['start']}: {told} pages in swap by relocation, not {size // PAGE}")
                wrong += 1
    if not relro:
        print(f"no RELRO among what is in swap: {swapped}")
    return 1 if wrong or not relro else 0


def main():
    with memstate.State(MEMSTATE, "swapped") as state:
        if not state.ready:
            print(f"skipped: no swap: {state.why}")
            return 77
        target = subprocess.Popen(["sleep", "600"])
        try:
            time.sleep(0.2)
            page_out(target.pid)
            return check(target.pid)
        finally:
            target.terminate()
            target.wait()


sys.exit(main())
