#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""share_freed.py VMATLAS MEMSTATE: what would be free if one process ended, and what is mapped to
the zero pages, against frames and objects read here from maps, pagemap, kpageflags, kpagecount."""
import collections
import ctypes
import itertools
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import openmetrics  # noqa: E402 pylint: disable=wrong-import-position
import share
from share import ANON, HUGE, LRU, PAGE, SWAPBACKED, THP, ZERO

STATES = ["anon-read", "forked", "child-wrote", "two-children", "grandchild", "copies-forked",
          "shared-forked", "file-twice", "file-deleted", "memfd-shared", "posix-shm", "secretmem",
          "thp-forked", "thp-zero", "thp-forked-written", "shmem-thp", "hugetlb-forked",
          "hugetlb-shared", "swapped-forked", "ksm-forked", "vvar"]


class Space:
    """Frames of one process with the object they are mapped from; objects it maps at all."""

    def __init__(self, pid):
        self.pid = pid
        self.frames = collections.defaultdict(list)
        self.objects = {}	# (device, inode) -> name
        self.shared = set()	# of them, mapped MAP_SHARED
        self.vmas = collections.Counter()
        self.slots = set()
        with open(f"/proc/{pid}/maps", "rb") as maps, \
                open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
            for line in maps:
                self.add(line.split(None, 5), pagemap.fileno())

    def add(self, words, pagemap):
        start, end = (int(a, 16) for a in words[0].split(b"-"))
        key = (words[3], int(words[4])) if int(words[4]) or b"SYSV" in words[-1] else None
        if start >= 1 << 63:
            return
        if key:
            self.vmas[key] += 1
            self.objects[key] = words[5].rstrip(b"\n") if len(words) > 5 else b""
            if words[1].endswith(b"s"):
                self.shared.add(key)
        data = os.pread(pagemap, (end - start) // PAGE * 8, start // PAGE * 8)
        for (word,) in struct.iter_unpack("=Q", data):
            if word >> 63:
                self.frames[word & (1 << 55) - 1].append(key)
            elif word >> 62 & 1 and word & 31 <= 21:
                self.slots.add(word & (1 << 55) - 1)


def segment_goes(number, vmas):
    with open("/proc/sysvipc/shm", encoding="ascii") as file:
        for words in map(str.split, file.readlines()[1:]):
            if int(words[1]) == number:
                return int(words[2], 8) & 0o1000 and int(words[6]) == vmas
    return False


class Machine:
    """All of a set, and what the kernel counts for its frames."""

    def __init__(self, pids):
        self.spaces = [Space(pid) for pid in pids]
        self.others = None
        self.frames = {}
        for frame in set().union(*(s.frames for s in self.spaces)):
            self.frames[frame] = (share.frame_word("kpageflags", frame),
                                  share.frame_word("kpagecount", frame))

    def elsewhere(self):
        """Objects without a name that processes outside of the set map."""
        if self.others is None:
            inside = {str(s.pid) for s in self.spaces}
            self.others = set()
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/maps", "rb") as file:
                        lines = [] if pid in inside else file.readlines()
                except OSError:
                    continue
                self.others |= {(w[3], int(w[4])) for w in (x.split(None, 5) for x in lines)
                                if w[-1].endswith(b" (deleted)\n")}
        return self.others

    def fate(self, space, frame, key):
        """What becomes of a page that only this process maps, if it ends."""
        flags = self.frames[frame][0]
        name = space.objects.get(key, b"")
        if flags >> ANON & 1 or (flags >> HUGE & 1 and key not in space.shared):
            return "freed"
        if key is None or name.startswith(b"["):
            return "kept"
        if [s for s in self.spaces if s is not space and key in s.objects] or \
                (name.endswith(b" (deleted)") and key in self.elsewhere()):
            return "kept"
        if name.startswith(b"/SYSV"):
            return "freed" if segment_goes(key[1], space.vmas[key]) else "kept"
        if name.endswith(b" (deleted)"):
            return "freed"
        if flags >> HUGE & 1:
            return "kept"
        return "kept" if flags >> SWAPBACKED & 1 else "reclaimable" if flags >> LRU & 1 else "any"

    def process(self, space):
        want = collections.Counter()
        for frame, keys in space.frames.items():
            flags, count = self.frames[frame]
            if flags >> ZERO & 1:
                want["huge_zero" if flags >> THP & 1 else "zero"] += len(keys) * PAGE
            elif count == (1 if flags >> HUGE & 1 else len(keys)):
                want[self.fate(space, frame, keys[0])] += PAGE
        return want


def differences(document, before, machine):
    """Libraries are mapped by whatever runs meanwhile: page cache may be either way."""
    found, zero = [], collections.Counter()
    earlier = {space.pid: before.process(space) for space in before.spaces}
    rows = {row["pid"]: row for row in document["processes"]}
    for space in machine.spaces:
        want, row = machine.process(space), rows[space.pid]
        zero += want
        if row["freed"] != want["freed"]:
            found.append(f"{space.pid} frees {row['freed']}, not {want['freed']}")
        cache = [w["reclaimable"] for w in (want, earlier[space.pid])]
        if not min(cache) <= row["reclaimable"] <= max(cache) + want["any"]:
            found.append(f"{space.pid}: {row['reclaimable']} reclaimable, not {cache}")
        if row["zero"] != want["zero"] + want["huge_zero"]:
            found.append(f"{space.pid}: zero {row['zero']}, not {want}")
    for key in "zero", "huge_zero":
        if document["set"][key] != zero[key]:
            found.append(f"{key} is {document['set'][key]}, not {zero[key]}")
    return found


def agree(what, pids, *args):
    for attempt in range(15):
        time.sleep(attempt / 20)
        before, document = Machine(pids), share.share(*args)
        found = differences(document, before, Machine(pids))
        if not found:
            return document
    for text in found:
        share.bad(f"{what}: {text}")
    return document


def check_state(name):
    with share.State(name) as state:
        if not state.ready:
            print(f"skipped: {name}")
            return
        document = agree(name, share.tree(state.pids[0]), "--tree", state.pids[0])
        if name == "thp-zero" and not document["set"]["huge_zero"]:
            share.bad(f"{name}: no huge zero page: {document['set']}")


class Fork:
    """Children of this process, each of which runs touch(number) and then sleeps."""

    def __init__(self, count, touch):
        self.children = []
        self.hold, hold = os.pipe()
        for number in range(count):
            ready, told = os.pipe()
            pid = os.fork()
            if not pid:
                os.close(hold)
                touch(number)
                os.write(told, b"r")
                os.read(self.hold, 1)
                os._exit(0)
            self.children.append(pid)
            os.close(told)
            os.read(ready, 1)
            os.close(ready)
        self.end = hold

    def __enter__(self):
        return self.children

    def __exit__(self, *_):
        os.close(self.end)
        os.close(self.hold)
        for pid in self.children:
            os.waitpid(pid, 0)


def touch_part(memory, number):
    for page in range(8 * number, 8 * number + 8):
        memory[page * PAGE] = 1


def check_parts_of(what, memory, fate):
    """Each of three touches a part of its own; all map all, so no end of one frees any of it. Nor
    does the end of all while this process maps it."""
    with Fork(3, lambda number: touch_part(memory, number)) as pids:
        kept = agree(what, pids, *pids)["set"]["freed"]
        if kept["kept"] < 24 * PAGE or kept[fate] >= 8 * PAGE:
            share.bad(f"{what}, mapped outside as well: {kept}")
        memory.close()
        one = agree(what, pids[:1], pids[0])["set"]["freed"]
        if one["kept"] < 8 * PAGE or one[fate] >= 8 * PAGE:
            share.bad(f"{what}, one of three: {one}")
        document = agree(what, pids, *pids)
        row = next(r for r in document["objects"] if r["once"] == 24 * PAGE and r["deleted"])
        if row["rss"] != 24 * PAGE:
            share.bad(f"{what}: parts are not apart: {row}")
        if document["set"]["freed"][fate] < 24 * PAGE:
            share.bad(f"{what}: all three free {document['set']['freed']}")


class Segment:
    """A SysV segment of 24 pages that this process and its children attach."""

    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.shmat.restype = ctypes.c_void_p
        self.libc.shmdt.argtypes = [ctypes.c_void_p]
        self.number = self.libc.shmget(0, 24 * PAGE, 0o1600)
        self.at = self.libc.shmat(self.number, None, 0)

    def touch(self, number):
        ctypes.memset(self.at + 8 * number * PAGE, 1, 8 * PAGE)

    def remove(self):
        self.libc.shmctl(self.number, 0, None)

    def detach(self):
        self.libc.shmdt(self.at)


def segment_of(document, number):
    return next(r for r in document["objects"] if r["kind"] == "sysv" and r["inode"] == number)


def sysv_is(what, pids, number, deleted, goes):
    document = agree(what, pids, *pids)
    row, freed = segment_of(document, number), document["set"]["freed"]
    if row["deleted"] is not deleted or row["once"] != 8 * PAGE * len(pids):
        share.bad(f"{what}: {row}")
    if freed["objects" if goes else "kept"] < row["once"] or \
            (not goes and freed["objects"] >= row["once"]):
        share.bad(f"{what}: of {row['once']}: {freed}")


def check_sysv():
    segment = Segment()
    if segment.number < 0:
        print("skipped: no SysV shared memory")
        return
    with Fork(2, segment.touch) as pids:
        sysv_is("SysV segment", pids, segment.number, False, False)
        segment.remove()
        sysv_is("attached outside of the set too", pids, segment.number, True, False)
        segment.detach()
        sysv_is("removed SysV segment", pids, segment.number, True, True)
        sysv_is("one of two attached", pids[:1], segment.number, True, False)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([share.VMATLAS, "record", *map(str, pids), folder + "/it"], check=True,
                           capture_output=True)
            document = share.share("--from", folder + "/it")
        if segment_of(document, segment.number)["deleted"] is not True:
            share.bad(f"recorded: {segment_of(document, segment.number)}")


def check_other_namespace():
    """Numbers of segments are those of an IPC namespace: of another one nothing is known."""
    made = []

    def touch(_):
        ctypes.CDLL(None).unshare(0x08000000)
        segment = Segment()
        segment.touch(0)
        segment.remove()
        made.append(segment)

    with Fork(1, touch) as pids:
        document = share.share(*pids)
    row = next((r for r in document["objects"] if r["kind"] == "sysv"), {})
    if row.get("deleted") is not None or "deleted_missing" not in row or \
            document["set"]["freed"]["kept"] < 8 * PAGE:
        share.bad(f"other IPC namespace: {row}")


def swap_pss(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("SwapPss:"))


def swap_differences(document, inside, outside):
    """Slots of the set against those of the processes that are not in it."""
    used = set().union(*(s.slots for s in outside))
    want = len(set().union(*(s.slots for s in inside)) - used) * PAGE
    freed, found = document["set"]["freed"], []
    if not freed["swap_least"] <= want <= freed["swap"]:
        found.append(f"set: {want} is not of {freed}")
    exact = freed["swap_certainty"] == "observed"
    if exact and freed["swap"] != want or not exact and freed["swap_least"] == freed["swap"]:
        found.append(f"set: {freed} with {want}")
    if not outside and freed["swap"] - freed["swap_least"] > len(inside) * PAGE:
        found.append(f"set: {freed} although nobody is outside")
    for space in inside:
        row = next(r for r in document["processes"] if r["pid"] == space.pid)
        mine = space.slots - used - set().union(*(s.slots for s in inside if s is not space))
        if not row["swap_freed_least"] <= len(mine) * PAGE <= row["swap_freed"]:
            found.append(f"{len(mine) * PAGE} is not of {row}")
        if not 0 <= row["swap_pss"] - swap_pss(space.pid) < 1024:
            found.append(f"SwapPss is {swap_pss(space.pid)}: {row}")
    total = sum(swap_pss(s.pid) for s in inside)
    if not 0 <= document["set"]["sum_swap_pss"] - total < 1024 * len(inside):
        found.append(f"sum_swap_pss is {document['set']['sum_swap_pss']}, not {total}")
    return found


def check_swap_family(size):
    """Children that share slots from before the fork, and have some of their own."""
    memory = mmap.mmap(-1, 64 * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for page in range(64):
        memory[page * PAGE] = 1
    memory.madvise(21)	# MADV_PAGEOUT

    def touch(number):
        touch_part(memory, number)
        memory.madvise(21)

    with Fork(size - 1, touch) as children:
        pids = [os.getpid(), *children]
        if len(Space(os.getpid()).slots) < 32:
            print("skipped: nothing was swapped")
            return
        for count in range(1, size + 1):
            for some in itertools.combinations(pids, count):
                for _ in range(4):	# this process is one of them, and runs
                    document = share.share(*some)
                    spaces = [Space(pid) for pid in pids]
                    found = swap_differences(document, [s for s in spaces if s.pid in some],
                                             [s for s in spaces if s.pid not in some])
                    if not found:
                        break
                for text in found:
                    share.bad(f"swap of {count} of {size}: {text}")
    memory.close()


def check_swap():
    """While a state keeps a swap area open."""
    with share.State("swapped-forked") as state:
        if not state.ready:
            print("skipped: no swap")
            return
        for size in 2, 3, 4:
            check_swap_family(size)
        both, one = share.share(*state.pids), share.share(state.pids[0])
        if both["set"]["freed"]["swap_certainty"] != "observed" or \
                one["set"]["freed"]["swap_certainty"] != "inferred":
            share.bad(f"swapped-forked: {both['set']['freed']}, alone {one['set']['freed']}")


def check_huge_zero():
    """Read, never written, in several processes: as much as each maps, and no memory at all."""
    with share.State("thp-zero") as state:	# while huge pages are given
        if not state.ready:
            print("skipped: no huge zero page")
            return
        memory = mmap.mmap(-1, 4 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_HUGEPAGE)
        if any(memory[at] for at in range(0, 4 << 20, PAGE)):
            share.bad("new memory is not zero")
        with Fork(3, lambda number: None) as pids:
            total = agree("huge zero page", pids, *pids)["set"]
        if total["huge_zero"] < 3 << 21 or total["huge_zero"] % (3 << 21) or \
                total["saved"] + total["bytes_once"] != total["sum_rss"]:
            share.bad(f"huge zero page in three processes: {total}")
        memory.close()


def labelled(document, key):
    return {(str(row["pid"]),): row[key] for row in document["processes"]}


def check_metrics(name):
    """The numbers of JSON, of processes that sleep; but for what libraries others map."""
    with share.State(name) as state:
        if not state.ready:
            print(f"skipped: metrics of {name}")
            return
        pids = [str(pid) for pid in share.tree(state.pids[0])]
        document = share.share(*pids)
        text = subprocess.run([share.VMATLAS, "share", "--openmetrics", *pids], check=True,
                              capture_output=True).stdout
    families = {family.removeprefix("vmatlas_share_"): {
        tuple(v for k, v in labels if k in ("pid", "fate", "cause")): number
        for labels, number in samples.items()}
        for family, samples in openmetrics.parse(text).items()}
    total, freed = document["set"], document["set"]["freed"]
    want = {
        "processes": {(): len(pids)}, "resident_bytes": {(): total["sum_rss"]},
        "resident_once_bytes": {(): total["bytes_once"]},
        "hugetlb_once_bytes": {(): total["hugetlb_once"]},
        "swap_once_bytes": {(): total["swap_once"]},
        "swap_proportional_bytes": {(): total["sum_swap_pss"]},
        "cause_saved_bytes": {(r["cause"],): r["saved"] for r in document["causes"]},
        "process_shared_bytes": labelled(document, "shared"),
        "process_freed_bytes": labelled(document, "freed")}
    for family, values in want.items():
        if families[family] != values:
            share.bad(f"{name}: {family} is {families[family]}, not {values}")
    for fate in "anonymous", "objects", "hugetlb", "swap":
        if families["end_bytes"][(fate,)] != freed[fate]:
            share.bad(f"{name}: {fate} is {families['end_bytes']}, not {freed}")


def main():
    for name in STATES:
        check_state(name)
    check_parts_of("shared anonymous", mmap.mmap(-1, 24 * PAGE), "objects")
    with tempfile.TemporaryFile(dir="/var/tmp") as file:
        file.truncate(24 * PAGE)
        check_parts_of("deleted file", mmap.mmap(file.fileno(), 24 * PAGE), "objects")
    for name in "hugetlb-forked", "swapped-forked", "shared-forked":
        check_metrics(name)
    check_huge_zero()
    check_swap()
    check_sysv()
    check_other_namespace()
    sys.exit(share.wrong > 0)


main()
