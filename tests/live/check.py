#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""check.py VMATLAS MEMSTATE: the ledger of real processes.

The numbers of a process that stands still are read here once more and compared. Each rule by which
sources differ is provoked on purpose. Processes that sleep have no unexplained difference, and a
process that runs does not get away with "nothing moved".
"""
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

VMATLAS, MEMSTATE = sys.argv[1:3]
PAGE = os.sysconf("SC_PAGE_SIZE")
NOBODY = 65534
wrong = 0

# States with what is unusual about their counters, and rules that must be named for them: of the
# first process, {row: rules}, with how much the exact ones explain.
STATES = {
    "anon-read": {}, "anon-dontneed": {}, "prot-none": {}, "guard-region": {},
    "mlock": {}, "madv-free": {}, "mremap": {}, "droppable": {}, "dev-zero-private": {},
    "child-wrote": {}, "copies-forked": {}, "text-poked": {}, "file-twice": {}, "truncated": {},
    "memfd-private": {}, "posix-shm": {}, "sysv-shm": {}, "secretmem": {},
    "thp": {}, "thp-mprotect": {}, "thp-forked": {}, "thp-forked-written": {}, "thp-zero": {},
    "mthp-forked-written": {}, "shmem-thp-private-written": {}, "shmem-thp": {},
    "hugetlb-private": {}, "hugetlb-forked": {}, "hugetlb-shared": {},
    "swapped-forked": {}, "swapped-copy": {}, "swapped-read": {}, "swapped-shmem": {"swap": ["object-swap"]},
    "ksm": {}, "uffd-wp": {}, "uffd-poison": {}, "threads": {}, "io-uring": {}, "packet-ring": {}, "perf-ring": {},
    "vdso-written": {}, "vvar": {}, "vsyscall": {"vss": ["gate-vma"]},
    "tables-emptied": {"tables": ["emptied-tables"]}, "tables-thp": {}, "tables-hugetlb": {},
    "tables-forked": {}, "same-space": {},
}


def bad(text):
    global wrong
    wrong += 1
    print(f"FAIL: {text}")


def ledger(pid, *options, status=(0,)):
    done = subprocess.run([VMATLAS, "check", "--json", *options, str(pid)], capture_output=True, text=True)
    if done.returncode not in status:
        bad(f"{pid}: exit {done.returncode}: {done.stderr}"
            f"{[d for d in json.loads(done.stdout or '{}').get('differences', []) if not d['explained']]}")
    document = json.loads(done.stdout)
    if document.get("ok") is not (done.returncode == 0):
        bad(f"{pid}: ok is {document.get('ok')} with exit {done.returncode}")
    return document


def differences(document, row, source):
    return [d for d in document["differences"] if d["name"] == row and source in d["sources"]]


# --- States that memstate makes -------------------------------------------------------------------

def run_state(state, want):
    process = subprocess.Popen([MEMSTATE, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pids = []
    for line in process.stdout:
        words = line.split()
        if words[:1] == ["skip"]:
            print(f"{state}: not made: {line.strip()}")
        if words[:1] == ["ready"]:
            pids.append(words[1].removeprefix("pid="))
        if words[:1] == ["child"]:
            pids.append(words[1])
        if words[:1] in (["end"], ["skip"]):
            break
    for i, pid in enumerate(pids):
        document = ledger(pid)
        for row, rules in want.items() if not i else ():
            found = [d for d in document["differences"] if d["name"] == row]
            if not any(d["rules"] == rules and d["certainty"] == "observed" for d in found):
                bad(f"{state}: {row} is not explained by {rules}: {found}")
    process.stdin.close()
    if process.wait() not in (0, 77):
        bad(f"{state}: memstate failed")
    return len(pids)


# --- The same numbers, read here ------------------------------------------------------------------

def fields(path):
    found = {}
    for line in open(path):
        match = re.match(r"(\w+):\s+(\d+) kB$", line)
        if match:
            found[match[1]] = found.get(match[1], 0) + int(match[2]) * 1024
    return found


def words(file, first, count):
    file.seek(first * 8)
    data = file.read(count * 8)
    return struct.unpack(f"{len(data) // 8}Q", data)


def count_pages(pid):
    """By the rules of smaps, a page at a time."""
    sums = dict.fromkeys(("rss", "rss_anon", "rss_file", "rss_shmem", "pss", "pss_anon", "pss_file", "pss_shmem",
                          "shared", "private", "ksm", "hugetlb", "swap"), 0)
    with open(f"/proc/{pid}/pagemap", "rb") as pagemap, open("/proc/kpageflags", "rb") as flags, \
            open("/proc/kpagecount", "rb") as counts:
        for line in open(f"/proc/{pid}/maps"):
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            if line.endswith(("[vsyscall]\n", "[vvar]\n", "[vvar_vclock]\n")):
                continue
            for entry in words(pagemap, start // PAGE, (end - start) // PAGE):
                if entry >> 62 & 1 and entry & 31 < 22:
                    sums["swap"] += PAGE
                if not entry >> 63:
                    continue
                frame = entry & ((1 << 55) - 1)
                flag, = words(flags, frame, 1)
                mappings, = words(counts, frame, 1)
                if flag >> 24 & 1:
                    continue
                if flag >> 17 & 1:
                    sums["hugetlb"] += PAGE
                    continue
                kind = "anon" if flag >> 12 & 1 else "shmem" if flag >> 14 & 1 else "file"
                sums["rss"] += PAGE
                sums[f"rss_{kind}"] += PAGE
                sums["ksm"] += PAGE * (flag >> 21 & 1)
                sums["shared" if mappings > 1 else "private"] += PAGE
                share = (PAGE << 12) // max(mappings, 1)
                sums["pss"] += share
                sums[f"pss_{kind}"] += share
    for name in sums:
        if name.startswith("pss"):
            sums[name] >>= 12
    sums["rss_objects"] = sums["rss_file"] + sums["rss_shmem"]
    return sums


SMAPS = {"rss": "Rss", "rss_anon": "Anonymous", "pss": "Pss", "pss_dirty": "Pss_Dirty", "pss_anon": "Pss_Anon",
         "pss_file": "Pss_File", "pss_shmem": "Pss_Shmem", "shared_clean": "Shared_Clean",
         "shared_dirty": "Shared_Dirty", "private_clean": "Private_Clean", "private_dirty": "Private_Dirty",
         "referenced": "Referenced", "ksm": "KSM", "lazy_free": "LazyFree", "anon_huge": "AnonHugePages",
         "shmem_huge": "ShmemPmdMapped", "file_huge": "FilePmdMapped", "swap": "Swap", "swap_pss": "SwapPss",
         "locked_pss": "Locked"}
STATUS = {"vss": "VmSize", "rss": "VmRSS", "rss_anon": "RssAnon", "rss_file": "RssFile", "rss_shmem": "RssShmem",
          "hugetlb": "HugetlbPages", "swap": "VmSwap", "locked": "VmLck", "pinned": "VmPin", "data": "VmData",
          "stack": "VmStk", "exe": "VmExe", "lib": "VmLib", "tables": "VmPTE"}


def own_reading(pid):
    smaps, rollup, status = (fields(f"/proc/{pid}/{name}") for name in ("smaps", "smaps_rollup", "status"))
    size, resident, shared, text, _, data, _ = (int(x) * PAGE for x in open(f"/proc/{pid}/statm").read().split())
    stat = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return {
        "smaps": {row: smaps[key] for row, key in SMAPS.items() if key in smaps} | {"vss": smaps["Size"]},
        "rollup": {row: rollup[key] for row, key in SMAPS.items() if key in rollup},
        "status": {row: status[key] for row, key in STATUS.items()},
        "statm": {"vss": size, "rss": resident, "rss_objects": shared, "rss_anon": resident - shared, "exe": text,
                  "data_stack": data},
        "stat": {"vss": int(stat[20]), "rss": int(stat[21]) * PAGE},
        "pages": count_pages(pid),
    }


def own_reading_beside(pid):
    """The same while vmatlas runs: it maps the libraries too, and takes its part of their PSS."""
    with subprocess.Popen([VMATLAS, "watch", "--interval", "10m", str(os.getpid())],
                          stdout=subprocess.PIPE) as beside:
        beside.stdout.read(1)
        try:
            return own_reading(pid)
        finally:
            beside.kill()


def compare(document, *readings):
    """How many numbers there were, and those that no reading had nor anything between them."""
    compared, off = 0, []
    for row in document["rows"]:
        for source, value in row["values"].items():
            if source not in readings[0] or row["name"] not in readings[0][source]:
                continue
            bounds = sorted(reading[source][row["name"]] for reading in readings)
            compared += 1
            if value is None or not bounds[0] <= value <= bounds[-1]:
                off.append(f"{row['name']} of {source} is {value}, not {bounds}")
    return compared, off


MIXTURE = """
import ctypes, mmap, os, sys, tempfile, time
anon = mmap.mmap(-1, 3 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for at in range(0, 1 << 20, 4096): anon[at] = 1
zero = sum(anon[at] for at in range(1 << 20, 2 << 20, 4096))
with open(sys.argv[1], "r+b") as file:
    private = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    shared = mmap.mmap(file.fileno(), 0)
read = sum(private[at] for at in range(0, 1 << 18, 4096))
for at in range(0, 1 << 17, 4096): private[at] = 7
for at in range(0, 1 << 16, 4096): shared[at] = 7
shm = mmap.mmap(-1, 1 << 20)
for at in range(0, 1 << 19, 4096): shm[at] = 7
if os.fork() == 0:
    for at in range(0, 1 << 18, 4096): anon[at] = 2
    print(os.getpid(), os.getppid(), flush=True)
    time.sleep(600)
time.sleep(600)
"""


def test_oracle(work):
    with open(f"{work}/file", "wb") as file:
        file.write(os.urandom(1 << 20))
    process = subprocess.Popen([sys.executable, "-c", MIXTURE, f"{work}/file"], stdout=subprocess.PIPE, text=True)
    pids = [int(x) for x in process.stdout.readline().split()]
    time.sleep(0.2)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(0.1)
    for pid in pids:
        for _ in range(20):         # libraries are mapped by others too, who come and go
            before, document = own_reading(pid), ledger(pid)
            compared, off = compare(document, before, own_reading_beside(pid), own_reading(pid))
            if not off:
                break
        for text in off:
            bad(f"oracle: {text}")
        if compared < 70:
            bad(f"oracle: only {compared} numbers were compared")
        if document["ran"]:
            bad("a stopped process ran")
        print(f"oracle: {compared} numbers of a stopped process agree")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    process.wait()


# --- A process that does not stand still ----------------------------------------------------------

MOVING = """
import mmap
kept = []
while True:
    area = mmap.mmap(-1, 4 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, 4 << 20, 4096): area[at] = 1
    kept.append(area)
    if len(kept) > 4: kept.pop(0).close()
"""


def test_moving():
    process = subprocess.Popen([sys.executable, "-c", MOVING])
    time.sleep(0.5)
    seen = explained = 0
    for _ in range(5):
        document = ledger(process.pid, status=(0, 4))
        rss = differences(document, "rss", "pages") + differences(document, "rss", "rollup")
        seen += bool(rss)
        explained += any("changed" in d["rules"] for d in rss)
        if rss and not (document["moved"] or document["ran"]):
            bad(f"moving: {rss}, but nothing moved")
        if document["looks"] > 3:
            bad(f"moving: looked {document['looks']} times")
    if not seen:
        bad("moving: no difference was seen")
    print(f"moving: in {seen} of 5 ledgers rss differs, {explained} of them by what moved")
    document = ledger(process.pid, "--stop")
    moved = [d for d in differences(document, "rss", "pages") if d["rules"] != ["migration"]]   # of a shared library
    if document["stop"]["stopped"] != 1 or document["ran"] or moved:
        bad(f"moving: with --stop: {document['stop']}, {document['differences']}")
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(0.1)
    document = ledger(process.pid)
    if document["ran"] or document["moved"]:
        bad("a stopped process ran")
    process.kill()
    process.wait()


# --- Counters of stat that lag --------------------------------------------------------------------

LAGGING = """
import mmap, os, sys
area = mmap.mmap(-1, 4096 * 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
cpus = sorted(os.sched_getaffinity(0))
for at in range(4096):
    os.sched_setaffinity(0, {cpus[at % len(cpus)]})
    area[at * 4096] = 1
    with open("/proc/self/statm") as a, open("/proc/self/stat") as b:
        if at > 200 and int(a.read().split()[1]) - int(b.read().rpartition(")")[2].split()[21]) > 40: break
print(at, flush=True)
sys.stdin.read()
"""


def test_lag():
    process = subprocess.Popen([sys.executable, "-c", LAGGING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    time.sleep(0.2)
    document = ledger(process.pid)
    found = differences(document, "rss", "stat")
    if not found:
        print("counters: stat does not lag on this kernel")
    elif found[0]["rules"] != ["counter-lag"] or not found[0]["low"] <= found[0]["difference"] <= found[0]["high"]:
        bad(f"counters: {found}")
    else:
        print(f"counters: stat lags by {-found[0]['difference']}, at most {found[0]['high']}")
    if differences(document, "rss", "status") and found:
        bad(f"counters: status lags too: {differences(document, 'rss', 'status')}")
    process.stdin.close()
    process.wait()


# --- Programs, other users, snapshots -------------------------------------------------------------

def test_programs(work):
    with open(f"{work}/Idle.java", "w") as file:
        file.write("class Idle { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }\n")
    programs = [["sleep", "60"], ["sh", "-c", "sleep 60; :"], ["bash", "-c", "read -r x < <(sleep 60); :"],
                [sys.executable, "-c", "import time; time.sleep(60)"], ["perl", "-e", "sleep 60"],
                ["node", "-e", "setTimeout(() => {}, 60000)"]]
    if shutil.which("javac") and not subprocess.run(["javac", f"{work}/Idle.java"], check=False).returncode:
        programs.append(["java", "-Xmx64m", "-cp", work, "Idle"])
    started = {p[0]: subprocess.Popen(p, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
               for p in programs if shutil.which(p[0])}
    time.sleep(1.5)
    for name, process in started.items():
        for _ in range(5):      # a timer of its run time may go off
            document = ledger(process.pid, status=(0, 4))
            if document["ok"] or not (document["ran"] or document["moved"]):
                break
        if not document["ok"]:
            bad(f"{name}: {[d for d in document['differences'] if not d['explained']]}")
        print(f"{os.path.basename(name)}: {document['equal']} rows equal, {document['explained']} explained")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_privilege(work):
    process = subprocess.Popen(["sleep", "60"])
    copy = shutil.copy(VMATLAS, f"{work}/vmatlas")
    os.chmod(work, 0o755)
    done = subprocess.run([copy, "check", "--json", str(process.pid)], user=NOBODY, group=NOBODY,
                          extra_groups=[], capture_output=True, text=True)
    document = json.loads(done.stdout)
    rss = next(row for row in document["rows"] if row["name"] == "rss")
    if done.returncode or rss["values"]["smaps"] is not None or rss["verdict"] not in ("equal", "explained") or \
            rss["values"]["smaps_missing"] != "needs-privilege":
        bad(f"of another user: exit {done.returncode}: {rss}: {done.stderr}")
    process.kill()
    process.wait()
    mine = subprocess.Popen(["sleep", "60"], user=NOBODY, group=NOBODY, extra_groups=[])
    time.sleep(0.2)
    done = subprocess.run([copy, "check", "--json", str(mine.pid)], user=NOBODY, group=NOBODY,
                          extra_groups=[], capture_output=True, text=True)
    rows = {row["name"]: row["values"] for row in json.loads(done.stdout)["rows"]}
    if done.returncode or rows["rss"]["pages"] != rows["rss"]["smaps"] or \
            rows["pss"].get("pages_missing") != "needs-privilege":
        bad(f"of one's own: exit {done.returncode}: {rows['rss']} {rows['pss']}: {done.stderr}")
    mine.kill()
    mine.wait()


def test_snapshot(work):
    process = subprocess.Popen([MEMSTATE, "copies-forked"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while process.stdout.readline().split()[:1] != ["end"]:
        pass
    os.kill(process.pid, signal.SIGSTOP)
    subprocess.run([VMATLAS, "record", str(process.pid), f"{work}/snapshot"], check=True, capture_output=True)
    live, replay = ledger(process.pid), ledger(process.pid, "--from", f"{work}/snapshot")
    own = ("rss", "rss_anon", "vss", "data", "stack", "exe", "lib", "tables", "swap", "locked")
    for a, b in zip(live["rows"], replay["rows"]):
        if a["name"] in own and a["values"] != b["values"]:
            bad(f"snapshot: {a['name']} is {b['values']}, not {a['values']}")
    os.kill(process.pid, signal.SIGCONT)
    process.stdin.close()
    process.wait()


ZEROES = """
import mmap, sys
area = mmap.mmap(-1, 4 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
print(sum(area[at] for at in range(0, 1 << 20, 4096)), flush=True)
sys.stdin.read()
"""


def test_old_kernel(work):
    """What a reader without rights would see of the zero page without PAGEMAP_SCAN."""
    process = subprocess.Popen([sys.executable, "-c", ZEROES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    folder = f"{work}/zeroes"
    subprocess.run([VMATLAS, "record", str(process.pid), folder], check=True, capture_output=True)
    process.stdin.close()
    process.wait()
    os.unlink(f"{folder}/{process.pid}/scan")
    shutil.rmtree(f"{folder}/frames")
    with open(f"{folder}/manifest", "r+") as manifest:
        text = manifest.read().replace("frames yes", "frames no")
        manifest.seek(0)
        manifest.write(text)
        manifest.truncate()
    found = differences(ledger(folder, "--from"), "rss", "pages")
    if not found or found[0]["rules"] != ["zero-page"] or found[0]["difference"] < 1 << 20:
        bad(f"zero page without scan: {found}")


def main():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as work:
        test_oracle(work)
        test_moving()
        test_lag()
        test_programs(work)
        test_privilege(work)
        test_snapshot(work)
        test_old_kernel(work)
    known = subprocess.run([MEMSTATE, "--list"], capture_output=True, text=True, check=True).stdout
    checked = sum(run_state(state, want) for state, want in STATES.items() if re.search(f"^{state} ", known, re.M))
    print(f"{checked} processes in {len(STATES)} states")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
