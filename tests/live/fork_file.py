#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""fork_file.py VMATLAS FOLDER: what fork copies of a private mapping of a file in huge pages.

One block before a GiB boundary has a written page, so that fork copies the VMA; the blocks behind it
are mapped by huge pages of the file, which copy_huge_pmd() leaves to the child's next fault. The
child therefore has neither these entries nor the table that holds them.
"""
import ctypes
import json
import mmap
import os
import subprocess
import sys
import tempfile

VMATLAS, FOLDER = sys.argv[1:3]
PAGE, HUGE, GIB = mmap.PAGESIZE, 2 << 20, 1 << 30
SIZE = 8 * HUGE
MADV_HUGEPAGE = 14
MAP_FIXED_NOREPLACE = 0x100000

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def map_file(fd):
    """One block before a boundary of a GiB that is free on both sides."""
    for boundary in range(0x100 * GIB, 0x180 * GIB, GIB):
        got = libc.mmap(boundary - HUGE, SIZE, mmap.PROT_READ | mmap.PROT_WRITE,
                        mmap.MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0)
        if got == boundary - HUGE:
            return got
    skip("no room below a GiB boundary")


def touch(start):
    libc.madvise(start, SIZE, MADV_HUGEPAGE)
    for address in range(start, start + SIZE, PAGE):
        ctypes.c_char.from_address(address).value
    ctypes.c_char.from_address(start).value = b"y"


def table(start, pid):
    out = subprocess.run([VMATLAS, "pagetable", "--json", "--range",
                          f"{start:#x}-{start + SIZE:#x}", str(pid)],
                         capture_output=True, text=True, check=True).stdout
    return json.loads(out)


def fork_waiting():
    hold = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(hold[1])
        os.read(hold[0], 1)
        os._exit(0)
    os.close(hold[0])
    return pid, hold[1]


def main():
    with tempfile.TemporaryFile(dir=FOLDER) as file:
        file.write(b"x" * SIZE)
        file.flush()
        os.fsync(file.fileno())
        # So that it is read in again, in pages as large as the advice asks for.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        start = map_file(file.fileno())
        touch(start)
        before = table(start, os.getpid())
        if not before["leaves"]["2M"]:
            skip("the file system here does not give files huge pages")
        pid, hold = fork_waiting()
        child = table(start, pid)
        os.close(hold)
        os.waitpid(pid, 0)
    fork = before["fork"]
    entries = sum(child["leaves"].values())
    print(f"parent {before['tables']} {before['leaves']}, child {child['tables']} "
          f"{child['leaves']}, foretold {fork['tables']} {fork['entries']}")
    right = child["tables"] == fork["tables"] and fork["entries"] == entries == 1
    return 0 if right and before["tables"]["pmd"] == 2 else 1


sys.exit(main())
