#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""share.py VMATLAS MEMSTATE: sums, pairs, causes and what would be freed of processes that sleep
in a known state, against sets of frames read here from pagemap, kpageflags and kpagecount."""
import collections
import itertools
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import memstate  # noqa: E402 pylint: disable=wrong-import-position
import openmetrics  # noqa: E402 pylint: disable=wrong-import-position

VMATLAS, MEMSTATE = (os.path.abspath(p) for p in sys.argv[1:3])
PAGE = os.sysconf("SC_PAGE_SIZE")
NOBODY = 65534
ANON, SWAPBACKED, HUGE, KSM, THP, ZERO, LRU = 12, 14, 17, 21, 22, 24, 5
# Of these the processes share, swap or unshare something.
STATES = sys.argv[3:] or [
    "anon-read", "forked", "child-wrote", "parent-wrote", "two-children", "grandchild",
    "copies-forked", "shared-forked", "file-twice", "file-deleted", "memfd-shared", "posix-shm",
    "sysv-shm", "secretmem", "thp-forked", "thp-forked-written", "thp-zero",
    "mthp-forked-written", "shmem-thp", "hugetlb-forked", "hugetlb-shared", "swapped-forked",
    "swapped-read", "ksm", "ksm-forked", "same-space", "leader-gone", "zombie", "vvar"]
wrong = 0


def bad(text):
    global wrong
    wrong += 1
    print("failed:", text)


def frame_word(name, frame):
    with open(f"/proc/{name}", "rb", buffering=0) as file:
        return struct.unpack("=Q", os.pread(file.fileno(), 8, frame * 8))[0]


class Space:
    """Entries of one process: frame -> how often, slot -> how often."""

    def __init__(self, pid):
        self.pid = pid
        self.frames = collections.Counter()
        self.slots = collections.Counter()
        folder = f"/proc/{pid}"
        with open(f"{folder}/maps", "rb") as file:
            lines = file.readlines()
        if not lines:		# the main thread has ended
            folder += "/task/" + max(os.listdir(f"/proc/{pid}/task"), key=int)
            with open(f"{folder}/maps", "rb") as file:
                lines = file.readlines()
        with open(f"{folder}/pagemap", "rb", buffering=0) as file:
            for line in lines:
                start, end = (int(a, 16) for a in line.split()[0].split(b"-"))
                if start < 1 << 63:
                    self.add(os.pread(file.fileno(), (end - start) // PAGE * 8, start // PAGE * 8))

    def add(self, data):
        for (word,) in struct.iter_unpack("=Q", data):
            payload = word & (1 << 55) - 1
            if word >> 63:
                self.frames[payload] += 1
            elif word >> 62 & 1 and payload & 31 <= 21:
                self.slots[payload] += 1


class Oracle:
    """The same set of processes, read frame by frame."""

    def __init__(self, pids):
        spaces = [Space(pid) for pid in pids]
        self.flags, self.counts = {}, {}
        for frame in set().union(*(s.frames for s in spaces)):
            self.flags[frame] = frame_word("kpageflags", frame)
            self.counts[frame] = frame_word("kpagecount", frame)
        self.same = {}
        self.spaces = []
        for space in spaces:
            twin = next((s for s in self.spaces if s.frames == space.frames and any(
                self.counts[f] == 1 for f in s.frames)), None)
            if twin:
                self.same[space.pid] = twin.pid
            else:
                self.spaces.append(space)
        self.found = sum((s.frames for s in self.spaces), collections.Counter())

    def has(self, frame, bit):
        return self.flags[frame] >> bit & 1

    def counted(self, space):
        return {f: n for f, n in space.frames.items()
                if not self.has(f, ZERO) and not self.has(f, HUGE)}

    def cause(self, frame):
        if self.has(frame, KSM):
            return "ksm"
        if self.has(frame, ANON):
            return "fork"
        if self.has(frame, SWAPBACKED):
            return "shared-object"
        return "page-cache" if self.has(frame, LRU) else "kernel"

    def set(self):
        once = set().union(*(self.counted(s) for s in self.spaces))
        rss = sum(sum(self.counted(s).values()) for s in self.spaces)
        slots = sum((s.slots for s in self.spaces), collections.Counter())
        huge = set(f for f in self.found if self.has(f, HUGE))
        return {
            "frames": len(once), "bytes_once": len(once) * PAGE, "sum_rss": rss * PAGE,
            "anonymous_once": sum(self.has(f, ANON) for f in once) * PAGE,
            "saved": (rss - len(once)) * PAGE, "hugetlb_once": len(huge) * PAGE,
            "sum_swap": sum(slots.values()) * PAGE, "swap_once": len(slots) * PAGE,
            "swap_shared": sum(n > 1 for n in slots.values()) * PAGE, "over": 0,
            "zero": self.zero(False), "huge_zero": self.zero(True)}

    def zero(self, huge):
        return sum(n for s in self.spaces for f, n in s.frames.items()
                   if self.has(f, ZERO) and self.has(f, THP) == huge) * PAGE

    def causes(self):
        saved = collections.Counter()
        for frame in set().union(*(self.counted(s) for s in self.spaces)):
            saved[self.cause(frame)] += (self.found[frame] - 1) * PAGE
        return saved

    def freed_anon(self):
        return sum(PAGE for f in self.found if self.has(f, ANON) and not self.has(f, HUGE) and
                   not self.has(f, ZERO) and self.found[f] == self.counts[f])

    def freed_hugetlb(self):
        """Where each mapping is counted, which it is not below a table in common."""
        return sum(PAGE for f in self.found
                   if self.has(f, HUGE) and self.found[f] == self.counts[f])

    def process(self, space):
        counted = self.counted(space)
        others = set().union(*(s.frames for s in self.spaces if s is not space))
        return {
            "rss": sum(counted.values()) * PAGE,
            "anonymous": sum(n for f, n in counted.items() if self.has(f, ANON)) * PAGE,
            "shared": sum(n > 0 and f in others for f, n in counted.items()) * PAGE,
            "swap": sum(space.slots.values()) * PAGE,
            "hugetlb": sum(n for f, n in space.frames.items() if self.has(f, HUGE)) * PAGE}

    def anon_uss(self, space):
        return sum(PAGE for f, n in self.counted(space).items()
                   if self.has(f, ANON) and self.counts[f] == 1)

    def pair(self, a, b):
        return len(set(self.counted(a)) & set(self.counted(b))) * PAGE


def share(*args):
    out = subprocess.run([VMATLAS, "share", "--json", *map(str, args)], capture_output=True,
                         text=True, check=False)
    if out.returncode:
        raise RuntimeError(f"share {args}: exit {out.returncode}: {out.stderr}")
    return json.loads(out.stdout)


def compare(what, document, want):
    return [f"{what}: {key} is {document.get(key)}, not {value}"
            for key, value in want.items() if document.get(key) != value]


def differences(document, oracle):
    found = compare("set", document["set"], oracle.set())
    rows = {row["pid"]: row for row in document["processes"]}
    for space in oracle.spaces:
        row = rows[space.pid]
        found += compare(space.pid, row, oracle.process(space))
        uss = oracle.anon_uss(space)
        if not uss <= row["uss"] <= uss + row["rss"] - row["anonymous"]:
            found.append(f"{space.pid}: uss {row['uss']} without {uss} of anonymous memory")
    for pid, same in oracle.same.items():
        found += compare(pid, rows[pid], {"same_mm": same})
        found += compare(pid, rows[pid]["shared_with"], {str(same): rows[same]["rss"]})
    for a, b in itertools.combinations(oracle.spaces, 2):
        want = oracle.pair(a, b)
        for x, y in ((a, b), (b, a)):
            got = rows[x.pid]["shared_with"].get(str(y.pid), 0)
            if got != want:
                found.append(f"{x.pid} and {y.pid} share {got}, not {want}")
    saved = oracle.causes()
    for row in document["causes"]:
        if row["saved"] != saved[row["cause"]]:
            found.append(f"{row['cause']} saves {row['saved']}, not {saved[row['cause']]}")
    if document["set"]["freed"]["anonymous"] != oracle.freed_anon():
        found.append(f"freed {document['set']['freed']['anonymous']}, not {oracle.freed_anon()}")
    return found + adds_up(document)


def adds_up(document):
    """What must be equal within one document."""
    total = document["set"]
    sums = {
        "objects and classes": sum(row["once"] for row in document["classes"]),
        "processes": total["bytes_once"],
    }
    found = []
    if sums["objects and classes"] != sums["processes"]:
        found.append(f"classes have {sums['objects and classes']}, not {sums['processes']}")
    if sum(row["saved"] for row in document["causes"]) != total["saved"]:
        found.append("causes do not add up to what is saved")
    if sum(row["saved"] for row in document["classes"]) != total["saved"]:
        found.append("classes do not add up to what is saved")
    if sum(row["rss"] for row in document["classes"]) != total["sum_rss"]:
        found.append("classes do not add up to the sum of RSS")
    if total["certainty"] != "observed":
        found.append("counts are not exact")
    return found


class State(memstate.State):
    def __init__(self, name):
        super().__init__(MEMSTATE, name, stderr=subprocess.DEVNULL)


def tree(root):
    pids = [root]
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                pids += map(int, file.read().split())
    return sorted(filter(alive, pids))


def alive(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        words = file.read().rpartition(")")[2].split()
    return words[0] != "Z" or int(words[17]) > 1


def check_state(name):
    with State(name) as state:
        if not state.ready:
            print(f"skipped: {name}")
            return
        for attempt in range(4):	# libraries are mapped by whatever runs meanwhile
            pids = tree(state.pids[0])
            document = share("--tree", state.pids[0])
            found = differences(document, Oracle(pids))
            if not found:
                check_parts(name, document)
                if name == "hugetlb-forked":
                    check_metrics(name, pids)
                return
        for text in found:
            bad(f"{name}: {text}")


def check_metrics(name, pids):
    """The same numbers as in the document."""
    out = subprocess.run([VMATLAS, "share", "--openmetrics", *map(str, pids)],
                         capture_output=True, check=True)
    families, document = openmetrics.parse(out.stdout), share(*pids)
    for key in "shared", "outside", "freed":
        found = {int(dict(labels)["pid"]): value for labels, value in
                 families[f"vmatlas_share_process_{key}_bytes"].items()}
        want = {row["pid"]: row[key] for row in document["processes"]}
        if found != want:
            bad(f"{name}: metrics have {key} {found}, not {want}")
    fates = {dict(labels)["fate"]: value
             for labels, value in families["vmatlas_share_end_bytes"].items()}
    for text in compare(f"{name}: metrics", fates, {
            fate: document["set"]["freed"][fate] for fate in
            ("anonymous", "objects", "hugetlb", "swap", "reclaimable", "kept")}):
        bad(text)


def check_empty_name():
    """A name may be empty, and is one all the same."""
    script = "import ctypes, sys\nctypes.CDLL(None).prctl(15, b'', 0, 0, 0)\n" \
             "print('ready', flush=True)\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        document = share(child.pid, os.getpid())
        found = [row["comm"] for row in document["processes"] if row["pid"] == child.pid]
        found += [row[f"comm_{side}"] for row in document["pairs"] for side in "ab"
                  if row[f"pid_{side}"] == child.pid]
        if found != ["", ""]:
            bad(f"an empty name is {found}")


def check_parts(name, document):
    """One process of several: all others are outside, and its own sums stay."""
    for row in document["processes"]:
        if row["same_mm"] is None and not any(
                r["same_mm"] == row["pid"] for r in document["processes"]):
            alone = share(row["pid"])
            one = alone["processes"][0]
            for key in ("rss", "anonymous", "swap", "hugetlb"):
                if one[key] != row[key]:
                    bad(f"{name}: {key} of {row['pid']} alone is {one[key]}, not {row[key]}")
            oracle = Oracle([row["pid"]])
            want, uss = oracle.freed_anon(), oracle.anon_uss(oracle.spaces[0])
            if alone["set"]["freed"]["anonymous"] != want or one["uss"] < uss:
                bad(f"{name}: {row['pid']} alone frees {alone['set']['freed']}, not {want}; "
                    f"uss {one['uss']}, of anonymous memory {uss}")
            # The other one maps all of what is shared, and keeps it.
            want = 0 if name == "hugetlb-shared" else oracle.freed_hugetlb()
            if alone["set"]["freed"]["hugetlb"] != want:
                bad(f"{name}: {row['pid']} alone frees {alone['set']['freed']}, hugetlb {want}")


def check_outside():
    """A parent alone: what the child maps too is outside, and halves the PSS."""
    with State("forked") as state:
        parent, child = state.pids
        both, one = share(parent, child), share(parent)
        fork = next(row for row in both["causes"] if row["cause"] == "fork")
        oracle = Oracle([parent])
        outside = sum(PAGE for f, n in oracle.spaces[0].frames.items()
                      if oracle.has(f, ANON) and oracle.counts[f] > n)
        if outside != fork["once"] or not outside:
            bad(f"forked: {outside} of the parent are the child's, not {fork['once']}")
        file_part = one["set"]["outside"] - outside
        if not 0 <= file_part <= one["set"]["file_once"]:
            bad(f"forked: {one['set']['outside']} are outside, {outside} of it anonymous")
        if one["set"]["freed"]["anonymous"] != one["set"]["anonymous_once"] - outside:
            bad("forked: what the child has would be freed")
        classes = {row["role"]: row for row in one["classes"]}
        pages = sum(n for f, n in oracle.spaces[0].frames.items()
                    if oracle.has(f, ANON) and oracle.counts[f] == 2)
        if pages * PAGE != outside or not classes["anon"]["pss"] < classes["anon"]["rss"]:
            bad("forked: PSS is not smaller than RSS where the child has the pages too")


def check_keeper():
    """One of two tasks with one address space: the other one keeps all of it."""
    with State("same-space") as state:
        both = share(*state.pids)
        if any(row["keeper"] is not None for row in both["processes"]) or \
                not both["set"]["freed"]["anonymous"]:
            bad(f"same-space: {both['set']['freed']}")
        for one, other in itertools.permutations(state.pids, 2):
            document = share(one)
            freed = document["set"]["freed"]
            if document["processes"][0]["keeper"] != other or freed["anonymous"] or \
                    document["processes"][0]["freed"] or \
                    "same-mm" not in [w["code"] for w in document["warnings"]]:
                bad(f"same-space: {one} without {other} frees {freed}")
            if document["set"]["bytes_once"] != both["set"]["bytes_once"]:
                bad(f"same-space: {document['set']['bytes_once']} of {one} once")


def anon_pages(pid):
    """Address -> frame and whether it is marked exclusive, of anonymous pages."""
    found = {}
    with open(f"/proc/{pid}/maps", "rb") as maps, \
            open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        for line in maps:
            start, end = (int(a, 16) for a in line.split()[0].split(b"-"))
            for page in range(start, end, PAGE) if start < 1 << 63 else ():
                word = struct.unpack("=Q", os.pread(pagemap.fileno(), 8, page // PAGE * 8))[0]
                frame = word & (1 << 55) - 1
                flags = frame_word("kpageflags", frame) if word >> 63 else 0
                if flags >> ANON & 1:
                    found[page] = frame, flags >> 34 & 1
    return found


def check_forks():
    """Anonymous pages of parent and child, address by address, and which side wrote."""
    for name in "child-wrote", "parent-wrote":
        with State(name) as state:
            row = share(*state.pids)["forks"][0]
            parent, child = map(anon_pages, state.pids)
            both = [(parent[a], child[a]) for a in parent.keys() & child.keys()]
            apart = collections.Counter((p[1], c[1]) for p, c in both if p[0] != c[0])
            want = {"parent": state.pids[0], "child": state.pids[1], "same_mm": False,
                    "executed": False, "shared": sum(p[0] == c[0] for p, c in both) * PAGE,
                    "written_parent": apart[1, 0] * PAGE, "written_child": apart[0, 1] * PAGE,
                    "written_both": apart[1, 1] * PAGE, "unshared_unknown": apart[0, 0] * PAGE,
                    "only_parent": len(parent.keys() - child.keys()) * PAGE,
                    "only_child": len(child.keys() - parent.keys()) * PAGE}
            for text in compare(name, row, want):
                bad(text)
            if not row["written_child" if name == "child-wrote" else "written_parent"]:
                bad(f"{name}: nobody wrote")
            row = share(os.getpid(), state.pids[0])["forks"][0]
            for text in compare(name, row, {
                    "parent": os.getpid(), "child": state.pids[0], "executed": True,
                    "same_mm": False, "shared": None, "only_child": None}):
                bad(text)


def check_new_mapping():
    """What a child maps and writes after the fork is the child's alone."""
    script = ("import mmap, os, signal\nif not os.fork():\n"
              f"\tm = mmap.mmap(-1, {300 * PAGE}, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
              f"\tfor i in range(300): m[i * {PAGE}] = 1\n\tprint('ready', flush=True)\n"
              "signal.pause()")
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    parent.stdout.readline()
    pids = tree(parent.pid)
    try:
        row = share(*pids)["forks"][0]
        pages = [anon_pages(pid) for pid in (row["parent"], row["child"])]
        want = {"only_parent": len(pages[0].keys() - pages[1].keys()) * PAGE,
                "only_child": len(pages[1].keys() - pages[0].keys()) * PAGE}
        for text in compare("new mapping", row, want):
            bad(text)
        if row["only_child"] < 300 * PAGE:
            bad(f"new mapping: {row}")
    finally:
        for pid in pids[::-1]:
            os.kill(pid, 9)
        parent.wait()
        parent.stdout.close()


def check_file(count):
    """A deleted file that several map: its pages once, and freed with the last of them."""
    script = ("import mmap, os, signal, sys\n"
              f"m = mmap.mmap(0, {64 * PAGE}, mmap.MAP_SHARED, mmap.PROT_READ)\n"
              f"sum(m[i * {PAGE}] for i in range(64))\nos.close(0)\n"
              "print('ready', flush=True)\nsignal.pause()")
    with tempfile.TemporaryFile(dir="/var/tmp") as file:
        file.write(b"x" * 64 * PAGE)
        file.flush()
        kids = [subprocess.Popen([sys.executable, "-c", script], stdin=file.fileno(),
                                 stdout=subprocess.PIPE) for _ in range(count)]
        for kid in kids:
            kid.stdout.readline()
        inode = os.fstat(file.fileno()).st_ino
        document = share(*(kid.pid for kid in kids))
        for kid in kids:
            kid.kill()
            kid.wait()
            kid.stdout.close()
    row = next(row for row in document["objects"] if row["inode"] == inode)
    for text in compare("file", row, {
            "once": 64 * PAGE, "rss": 64 * PAGE * count, "copied": 0, "outside": 0,
            "saved": 64 * PAGE * (count - 1), "processes": count, "deleted": True}):
        bad(text)
    if not 64 * PAGE - count < row["pss"] <= 64 * PAGE:	# each part is cut
        bad(f"file: pss is {row['pss']}")
    if document["set"]["freed"]["objects"] < 64 * PAGE:
        bad(f"a deleted file is not freed: {document['set']['freed']}")


def run_as(user, *prefix_and_args):
    out = subprocess.run(prefix_and_args, capture_output=True, text=True, check=False, user=user,
                         group=user, extra_groups=None if user is None else [])
    return json.loads(out.stdout) if out.returncode == 0 else None


def kernel_sums(pids):
    """Sums of smaps_rollup, in bytes."""
    sums = collections.Counter()
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
            for line in file.readlines()[1:]:
                key, _, value = line.partition(":")
                sums[key] += int(value.split()[0]) * 1024
    return sums


def check_recorded(name):
    """The same of a family that sleeps, read now and from a recording of it. There only its pages
    tell that two tasks have one address space."""
    with State(name) as state, tempfile.TemporaryDirectory() as folder:
        if not state.ready:
            return
        subprocess.run([VMATLAS, "record", "--tree", str(state.pids[0]), folder + "/it"],
                       check=True, capture_output=True)
        live, recorded = share("--tree", state.pids[0]), share("--from", folder + "/it")
        for document in live, recorded:		# mapped by vmatlas too, or from another moment
            for rows in "processes", "objects", "classes":
                for row in document[rows]:
                    for key in "pss", "uss", "outside", "reclaimable", "freed":
                        row.pop(key, None)
            for key in ("sum_pss", "sum_uss", "outside", "duration_us", "freed"):
                document["set"].pop(key)
        for key in "set", "processes", "causes", "objects", "classes", "forks", "pairs":
            if live[key] != recorded[key]:
                bad(f"{name} recorded: {key} is {recorded[key]}, not {live[key]}")


def check_unprivileged():
    """The kernel's own sums, bounds of the rest, and one process that may not be read."""
    sleepers = [subprocess.Popen(["sleep", "600"], user=NOBODY, group=NOBODY, extra_groups=[])
                for _ in range(2)]
    pids = [sleeper.pid for sleeper in sleepers]
    try:
        document = run_as(NOBODY, VMATLAS, "share", "--json", *map(str, pids), str(os.getpid()))
        total, sums = document["set"], kernel_sums(pids)
        if total["sum_rss"] != sums["Rss"]:
            bad(f"unprivileged: RSS {total['sum_rss']}, not {sums['Rss']}")
        if (total["processes"], total["refused"]) != (2, 1):
            bad(f"unprivileged: {total['processes']} counted, {total['refused']} refused")
        if total["bytes_once"] is not None or \
                total["bytes_once_missing"] != "needs-privilege" or \
                document["pairs_missing"] != "needs-privilege":
            bad(f"unprivileged: {total}")
        least, most = document["bounds"]["least"], document["bounds"]["most"]
        once = share(*pids)["set"]["bytes_once"]
        if not least <= once <= most or most != sums["Rss"]:
            bad(f"unprivileged: {once} is not between {least} and {most}")
        script = f"mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid={NOBODY} " \
                 f"--regid={NOBODY} --clear-groups {VMATLAS} share --all --json"
        hidden = run_as(None, "unshare", "-m", "sh", "-c", script)
        if hidden and not set(pids) <= {row["pid"] for row in hidden["processes"]}:
            bad("hidepid: own processes are missing")
        if hidden and os.getpid() in {row["pid"] for row in hidden["processes"]}:
            bad("hidepid: a hidden process is there")
    finally:
        for sleeper in sleepers:
            sleeper.kill()
            sleeper.wait()


def check_vanishing():
    """Processes that come and go, and run another program, all the time."""
    storm = subprocess.Popen(["sh", "-c", "while :; do sh -c '/bin/true; exec /bin/true' & "
                              "/bin/true; done"])
    try:
        for _ in range(15):
            document = share("--tree", os.getpid())
            found = [text for text in adds_up(document) if "exact" not in text]
            for text in found:
                bad(f"vanishing: {text}")
            for row in document["processes"]:
                if row["state"] != "counted" and row["rss"] is not None:
                    bad(f"vanishing: {row}")
    finally:
        storm.kill()
        storm.wait()


def check_crowd():
    """More different sets than are told apart: sums are the kernel's, and the rest is a gap."""
    script = ("import mmap, random, sys, time\nm = mmap.mmap(-1, 40000 * 4096)\nimport os\n"
              "for i in range(64):\n\tif not os.fork():\n"
              "\t\tfor p in random.sample(range(40000), 24000): m[p * 4096] = 1\n"
              "\t\tos.write(1, b'.')\n\t\ttime.sleep(600)\n"
              "\t\tos._exit(0)\ntime.sleep(600)")
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                              start_new_session=True)
    try:
        for _ in range(64):
            parent.stdout.read(1)
        document = share("--tree", parent.pid)
        total = document["set"]
        if not 0 < total["crowd"] <= total["bytes_once"] or total["outside"] is not None or \
                total["outside_missing"] != "limit" or document["pairs_missing"] != "limit":
            bad(f"crowd: {total}, pairs {document['pairs']}")
        if not 40000 * PAGE <= total["bytes_once"] < 40000 * PAGE * 4:
            bad(f"crowd: {total['bytes_once']} once")
        for row in document["processes"]:
            # Python is mapped by others as well, which come and go.
            rollup = kernel_sums([row["pid"]])
            if row["rss"] != rollup["Rss"] or row["freed_missing"] != "limit" or \
                    abs(row["pss"] - rollup["Pss"]) > rollup["Pss"] * 0.3:
                bad(f"crowd: {row} is not {rollup}")
        if [w["code"] for w in document["warnings"]] != ["limit"]:
            bad(f"crowd: warnings are {document['warnings']}")
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
        parent.stdout.close()


def check_stop():
    """A child that writes all the time stands still, and then goes on."""
    script = ("import mmap\nm = mmap.mmap(-1, 1 << 22)\nprint('ready', flush=True)\n"
              "while True:\n\tfor i in range(0, 1 << 22, 4096): m[i] = 1\n\tm.madvise(4)")
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        document = share("--stop", child.pid)
        if document["stop"]["stopped"] != 1 or document["set"]["over"]:
            bad(f"stop: {document['stop']}, {document['set']}")
        with open(f"/proc/{child.pid}/stat", encoding="ascii") as file:
            if file.read().rpartition(")")[2].split()[0] == "T":
                bad("stop: it stands still")
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def main():
    for name in STATES:
        check_state(name)
    if len(sys.argv) == 3:
        check_outside()
        check_keeper()
        check_forks()
        check_new_mapping()
        check_file(3)
        for name in "two-children", "same-space", "thp-forked-written", "swapped-forked", "ksm":
            check_recorded(name)
        check_empty_name()
        check_unprivileged()
        check_vanishing()
        check_stop()
        check_crowd()
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
