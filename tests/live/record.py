#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""record.py SNAPSHOT PID...: is what the snapshot holds what /proc says of these stopped processes?

Reads the runs by the grammar of vmatlas-snapshot(5) and nothing else of vmatlas. Flags that change
by themselves (LRU, referenced, active, idle, locked, writeback) are left out, and how many map pages of files:
python does too. Prints what differs; exit 1 if anything does.
"""
import array
import fcntl
import os
import re
import struct
import sys

VOLATILE = 1 << 0 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 25
RUN = re.compile(r"([0-9a-f]+)(?:\+([0-9a-f]+))? ([0-9a-f]+)(?:([+-])([0-9a-f]+))?$")
PRESENT, FILE, EXCLUSIVE, FRAME = 1 << 63, 1 << 61, 1 << 56, (1 << 55) - 1
SIGQ = re.compile(rb"SigQ:.*\n")  # of all processes of the user
HEAD, TAIL, ANON, MARK = 1 << 15, 1 << 16, 1 << 12, 1 << 34
wrong = 0


def bad(what):
    global wrong
    wrong += 1
    if wrong <= 20:
        print(what)


def runs(path, head=0):
    """{number: word}, after checking order and that no two runs could be one."""
    words, last, before = {}, -1, None
    with open(path) as f:
        lines = f.read().split("\n")
    if lines[-2:] != ["end", ""]:
        bad(f"{path}: no end")
    for line in lines[head:-2]:
        m = RUN.match(line)
        if not m:
            bad(f"{path}: {line!r} is no run")
            continue
        first, count, word = int(m[1], 16), int(m[2] or "1", 16), int(m[3], 16)
        step = int(m[5] or "0", 16) * (-1 if m[4] == "-" else 1)
        if first <= last:
            bad(f"{path}: {line!r} goes back")
        if before == (first, word) and step == 0:
            bad(f"{path}: {line!r} belongs to the run before it")
        for i in range(count):
            words[first + i] = word + i * step
        last = first + count - 1
        before = (last + 1, word) if not step else None
    return words, lines


def read_words(name, first, count):
    with open(name, "rb", buffering=0) as f:
        f.seek(first * 8)
        data = array.array("Q")
        data.frombytes(f.read(count * 8))
        return data


def vmas(pid):
    for line in open(f"/proc/{pid}/maps", "rb"):
        start, end = (int(x, 16) for x in line.split()[0].split(b"-"))
        if start < 1 << 63:
            yield start // 4096, end // 4096


def check_texts(top, pid):
    for name in ("maps", "stat", "statm", "comm", "limits", "cgroup", "syscall", "smaps_rollup", "smaps",
                 "status", "numa_maps"):
        live = open(f"/proc/{pid}/{name}", "rb").read()
        recorded = open(f"{top}/{name}", "rb").read()
        if name.startswith("smaps"):
            live, recorded = (re.sub(rb"(Referenced|Pss\w*|Shared_\w+|Private_\w+|Locked): +\d+ kB", b"", t)
                              for t in (live, recorded))
        if name == "numa_maps":
            live, recorded = (re.sub(rb" (mapmax|active)=\d+", b"", t) for t in (live, recorded))
        if name == "status":
            live, recorded = (SIGQ.sub(b"", t) for t in (live, recorded))
        if live != recorded:
            bad(f"{top}/{name} is not what /proc has")
    if open(f"{top}/exe", "rb").read() != os.fsencode(os.readlink(f"/proc/{pid}/exe")):
        bad(f"{top}/exe is another link")
    auxv = open(f"/proc/{pid}/auxv", "rb").read()
    lines = open(f"{top}/auxv").read().split("\n")
    form = "QQ" if lines[0] == "word_size 8" else "II"
    packed = b"".join(struct.pack(form, int(a), int(b, 16)) for a, b in (l.split() for l in lines[1:-1]))
    if packed != auxv:
        bad(f"{top}/auxv is not what /proc has")
    if sorted(os.listdir(f"{top}/task")) != sorted(os.listdir(f"/proc/{pid}/task")):
        bad(f"{top}/task has other threads")
    for tid in os.listdir(f"{top}/task"):
        for name in ("stat", "comm", "status", "syscall", "children"):
            live = open(f"/proc/{pid}/task/{tid}/{name}", "rb").read()
            if SIGQ.sub(b"", open(f"{top}/task/{tid}/{name}", "rb").read()) != SIGQ.sub(b"", live):
                bad(f"{top}/task/{tid}/{name} is not what /proc has")


def check_pagemap(top, pid, frames):
    recorded, _ = runs(f"{top}/pagemap")
    seen = 0
    for first, end in vmas(pid):
        live = read_words(f"/proc/{pid}/pagemap", first, end - first)
        for i, word in enumerate(live):
            have = recorded.get(first + i, 0)
            seen += have != 0
            if (have ^ word) & ~(EXCLUSIVE if word & FILE else 0):
                bad(f"{top}/pagemap: page {first + i:x} is {have:x}, not {word:x}")
            if have & PRESENT and have & FRAME:
                frames[have & FRAME] = frames.get(have & FRAME, False) or not have & EXCLUSIVE
    if seen != len(recorded):
        bad(f"{top}/pagemap has pages outside of the map")


def check_scan(top, pid):
    recorded, lines = runs(f"{top}/scan", 1)
    mask = int(lines[0].split()[1], 16)
    live = {}
    vec = bytearray(24 * 4096)
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as f:
        address = (array.array("B", vec)).buffer_info()[0]
        store = array.array("Q", bytes(24 * 4096))
        address = store.buffer_info()[0]
        for first, end in vmas(pid):
            at = first * 4096
            while at < end * 4096:
                arg = bytearray(struct.pack("12Q", 96, 0, at, end * 4096, 0, address, 4096, 0, 0, 0, mask, mask))
                n = fcntl.ioctl(f, 0xc0606610, arg, True)
                at = struct.unpack("12Q", arg)[4]
                for i in range(n):
                    for page in range(store[3 * i] // 4096, store[3 * i + 1] // 4096):
                        live[page] = store[3 * i + 2]
    if live != recorded:
        bad(f"{top}/scan: {sum(1 for p in live.keys() | recorded.keys() if live.get(p) != recorded.get(p))} pages differ")


def check_frames(top, frames):
    flags, _ = runs(f"{top}/frames/kpageflags")
    counts, _ = runs(f"{top}/frames/kpagecount")
    cgroups, _ = runs(f"{top}/frames/kpagecgroup")
    for frame, shared in frames.items():
        live = read_words("/proc/kpageflags", frame, 1)[0]
        if (flags.get(frame, ~0) ^ live) & ~VOLATILE:
            bad(f"kpageflags: frame {frame:x} is {flags.get(frame, -1):x}, not {live:x}")
        if cgroups.get(frame) != read_words("/proc/kpagecgroup", frame, 1)[0]:
            bad(f"kpagecgroup: frame {frame:x} differs")
        if shared and frame not in counts:
            bad(f"kpagecount: frame {frame:x} is not there")
        if counts.get(frame, 1) != read_words("/proc/kpagecount", frame, 1)[0] and live & ANON:
            bad(f"kpagecount: frame {frame:x} is {counts.get(frame, 1)}")
    if set(cgroups) != set(frames):
        bad("kpagecgroup has other frames")
    if set(counts) - set(frames):
        bad("kpagecount has other frames")
    # Behind each mapped part of a folio its rest is recorded, as far as the block goes.
    for frame in flags:
        if flags[frame] & TAIL and frame % 512 and frame - 1 not in flags:
            bad(f"kpageflags: the folio of frame {frame:x} has no beginning")
        if flags[frame] & (HEAD | TAIL) and (frame + 1) % 512 and frame + 1 not in flags:
            if read_words("/proc/kpageflags", frame + 1, 1)[0] & TAIL:
                bad(f"kpageflags: the folio of frame {frame:x} has no end")


def main():
    top, pids, frames = sys.argv[1], sys.argv[2:], {}
    for pid in pids:
        check_texts(f"{top}/{pid}", pid)
        check_pagemap(f"{top}/{pid}", pid, frames)
        if os.path.exists(f"{top}/{pid}/scan"):
            check_scan(f"{top}/{pid}", pid)
    if os.path.exists(f"{top}/frames/kpageflags") and frames:
        check_frames(top, frames)
    print(f"{top}: {len(frames)} frames of {len(pids)} processes, {wrong} differences")
    return wrong != 0


sys.exit(main())
