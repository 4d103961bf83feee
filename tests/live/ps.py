#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ps.py VMATLAS MEMSTATE: the rows of ps against smaps_rollup and status, its sums, the ledger
against meminfo, and what is seen without rights, under hidepid and in namespaces."""
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import memstate  # noqa: E402 pylint: disable=wrong-import-position
import openmetrics  # noqa: E402 pylint: disable=wrong-import-position

VMATLAS, MEMSTATE = (os.path.abspath(p) for p in sys.argv[1:3])
ROOT = os.geteuid() == 0
NOBODY = 65534
STATES = ["forked", "child-wrote", "file-twice", "memfd-shared", "sysv-shm", "shared-forked",
          "thp-forked", "hugetlb-forked", "swapped-forked"]
wrong = 0


def bad(text):
    global wrong
    wrong += 1
    print("failed:", text)


def text_of(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def fields(path):
    """Numbers of status, smaps_rollup or meminfo, in bytes."""
    found = {}
    for line in text_of(path).splitlines():
        key, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            found[key] = int(words[0]) * (1024 if words[-1] == "kB" else 1)
    return found


def ps(*args, user=None, prefix=()):
    command = list(prefix) + [VMATLAS, "ps", "--json", *map(str, args)]
    extra = {"user": user, "group": user, "extra_groups": []} if user else {}
    out = subprocess.run(command, capture_output=True, text=True, check=False, **extra)
    if out.returncode:
        raise RuntimeError(f"{command}: exit {out.returncode}: {out.stderr}")
    return json.loads(out.stdout)


class Held:
    """ps that has looked at everything and waits to print: it maps libraries itself, which makes
    the PSS of others smaller as long as it lives."""

    def __init__(self, *args):
        self.read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(write, False)
        while True:		# blanks in front of the document
            try:
                os.write(write, b" ")
            except BlockingIOError:
                break
        os.set_blocking(write, True)
        self.process = subprocess.Popen([VMATLAS, "ps", "--json", *map(str, args)], stdout=write)
        os.close(write)
        wait_for(lambda: text_of(f"/proc/{self.process.pid}/wchan"), lambda t: "pipe" in t)

    def document(self):
        with open(self.read, encoding="utf-8") as file:
            text = file.read()
        if self.process.wait():
            raise RuntimeError("ps failed")
        return json.loads(text)


def rows(document):
    return {row["pid"]: row for row in document["processes"]}


def kernel_row(pid):
    """What the kernel says of the process, under our names."""
    rollup, status = fields(f"/proc/{pid}/smaps_rollup"), fields(f"/proc/{pid}/status")
    return {
        "rss": rollup["Rss"], "pss": rollup["Pss"],
        "uss": rollup["Private_Clean"] + rollup["Private_Dirty"],
        "anon": rollup["Anonymous"], "swap": rollup["Swap"], "swap_pss": rollup["SwapPss"],
        "hugetlb": rollup["Shared_Hugetlb"] + rollup["Private_Hugetlb"],
        "vss": status["VmSize"], "pagetables": status["VmPTE"], "threads": status["Threads"],
        "ppid": status["PPid"], "uid": int(text_of(f"/proc/{pid}/status")
                                           .split("\nUid:")[1].split()[1]),
        "comm": text_of(f"/proc/{pid}/comm").rstrip("\n"),
    }


def differences(row, kernel, during):
    """The kernel cuts off of PSS what is less than 1 KiB. It becomes smaller while ps runs, and so
    does USS where nobody else maps the libraries."""
    found = []
    for key, value in kernel.items():
        low, high = value, value
        if key in ("pss", "uss"):
            low = during[key]
        if key in ("pss", "swap_pss"):
            high += 1023
        if row[key] is None or not low <= row[key] <= high:
            found.append(f"{key} {row[key]}, kernel {low} to {high}")
    return found


def check_rows(what, args, pids, tries=40):
    """Others map and unmap the same libraries: what the kernel says must be the same before and
    after, and is compared then."""
    wrongs = []
    for _ in range(tries):
        before = {pid: kernel_row(pid) for pid in pids}
        held = Held(*args)
        during = {pid: kernel_row(pid) for pid in pids}
        document = held.document()
        wrongs = ["others changed all the time"]
        if before != {pid: kernel_row(pid) for pid in pids}:
            continue
        found = rows(document)
        if set(found) != set(pids):
            bad(f"{what}: rows of {sorted(found)}, not {sorted(pids)}")
            return document
        wrongs = [f"{pid}: {d}" for pid in pids for d in differences(found[pid], before[pid], during[pid])]
        if not wrongs:
            return document
    for text in wrongs:
        bad(f"{what}: {text}")
    return document


def descendants(pid):
    found = [pid]
    for entry in text_of(f"/proc/{pid}/task/{pid}/children").split():
        found += descendants(int(entry))
    return found


def check_states():
    for name in STATES:
        with memstate.State(MEMSTATE, name) as state:
            if not state.ready:
                print(f"{name}: {state.why}")
                continue
            pids = descendants(state.pids[0])
            if ROOT:
                document = check_rows(name, ("--tree", state.pids[0]), pids)
                check_sums(name, document)
            # Slots are divided by users outside of the set as well.
            if ROOT and name == "swapped-forked":
                for pid in pids:
                    check_rows(f"{pid} of {name}", (pid,), [pid])


def check_sums(what, document):
    totals, once = document["totals"], [r for r in document["processes"] if r["same_mm"] is None]
    for key in ("rss", "pss", "uss", "swap", "pagetables"):
        want = sum(r[key] or 0 for r in once if r["rss_from"] != "counter")
        if totals[key] != want:
            bad(f"{what}: the sum of {key} is {totals[key]}, of the rows {want}")
    if ROOT and not totals["uss"] <= totals["once"] <= totals["rss"]:
        bad(f"{what}: each frame once {totals['once']}, not within USS and RSS")


def check_same_space():
    """vfork: one address space, counted once."""
    script = "import ctypes, time\nif ctypes.CDLL(None).vfork() == 0: time.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", script])
    try:
        pids = wait_for(lambda: descendants(parent.pid), lambda p: len(p) == 2)
        found = rows(document := ps("--tree", parent.pid))
        first, second = sorted(pids)
        if found[first]["same_mm"] is not None or found[second]["same_mm"] != first:
            bad(f"vfork: same_mm is {[found[p]['same_mm'] for p in (first, second)]}")
        if found[first]["rss"] != found[second]["rss"] or \
                document["totals"]["rss"] != found[first]["rss"]:
            bad("vfork: the address space does not count once")
        if document["totals"]["same_mm"] != 1:
            bad(f"vfork: totals.same_mm is {document['totals']['same_mm']}")
        check_sums("vfork", document)
    finally:
        for pid in descendants(parent.pid)[::-1]:
            os.kill(pid, 9)
        parent.wait()


def check_leader_gone():
    """The main thread has ended: the numbers are still those of the process."""
    with memstate.State(MEMSTATE, "leader-gone") as state:
        pid = int(state.lines("process")[0][0])
        row = rows(ps(pid, "-o", "+ppid,inner_pid"))[pid]
        want = {"ppid": state.pids[0], "inner_pid": None, "comm": "memstate"}
        found = {key: row[key] for key in want}
        if found != want or not row["rss"]:
            bad(f"leader gone: {found}, not {want}; RSS {row['rss']}")


def wait_for(read, enough, seconds=10):
    end = time.monotonic() + seconds
    while not enough(value := read()) and time.monotonic() < end:
        time.sleep(0.02)
    return value


def check_snapshot():
    """A recording of a part of the machine: who was not recorded counts for PSS as well."""
    if not ROOT:
        return
    with memstate.State(MEMSTATE, "child-wrote") as state, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "recorded")
        subprocess.run([VMATLAS, "record", "--tree", str(state.pids[0]), path], check=True,
                       capture_output=True)
        live = rows(ps("--tree", state.pids[0]))
        document = ps("--from", path)
        found = rows(document)
        if found.keys() != live.keys() or len(found) < 2:
            bad(f"recorded are {sorted(found)}, not {sorted(live)}")
        for pid, row in found.items():
            want = live.get(pid, row)
            for key in ("rss", "anon", "swap", "vss", "pagetables", "ppid", "uid", "comm"):
                if row[key] != want[key]:
                    bad(f"recorded {pid}: {key} is {row[key]}, live {want[key]}")
            if abs(row["pss"] - want["pss"]) > want["pss"] // 10:
                bad(f"recorded {pid}: PSS {row['pss']}, live {want['pss']}")
        for row in document["ledger"]["rows"]:
            if row["counter"] is not None:
                bad("the ledger of a recording stands on its processes")
        if list(rows(ps("--from", path, "--tree", max(found)))) != [max(found)]:
            bad("a recorded tree is not found")
        if rows(ps("--from", path, "--name", "memstate")).keys() != found.keys():
            bad("recorded names are not found")


def check_machine():
    before, document, after = fields("/proc/meminfo"), ps(), fields("/proc/meminfo")
    ledger = document["ledger"]
    if ledger["total"] != before["MemTotal"]:
        bad(f"MemTotal is {ledger['total']}")
    found = {row["item"]: row for row in ledger["rows"]}
    if sum(row["bytes"] for row in ledger["rows"]) != ledger["total"]:
        bad("the rows of the ledger do not add up to MemTotal")
    for item, keys in (("free", ["MemFree"]), ("slab", ["SUnreclaim"]),
                       ("slab_caches", ["SReclaimable"]), ("percpu", ["Percpu"]),
                       ("page_tables", ["PageTables", "SecPageTables"]),
                       ("stacks", ["KernelStack"]), ("hugetlb", ["Hugetlb"])):
        ends = sorted(sum(m.get(k, 0) for k in keys) for m in (before, after))
        slack = max(64 << 20, ends[1] // 4)		# others live on
        if not ends[0] - slack <= found[item]["bytes"] <= ends[1] + slack:
            bad(f"ledger: {item} is {found[item]['bytes']}, meminfo {ends}")
    if ROOT and found["anon"]["bytes"] != document["totals"]["anon_once"]:
        bad("ledger: anonymous memory is not what was counted")
    check_sums("all", document)
    if rows(document).keys() & {2}:
        bad("a kernel thread has a row")
    if os.getpid() not in rows(document):
        bad("we have no row")


def check_order():
    document = ps("--top", 3, "--sort", "-rss")
    sizes = [row["rss"] for row in document["processes"]]
    if len(sizes) != 3 or sizes != sorted(sizes, reverse=True):
        bad(f"--top 3 --sort -rss: {sizes}")
    if ROOT and document["totals"]["counted"] <= 3:
        bad("--top limits the totals")
    names = [row["comm"] for row in ps("--sort", "comm")["processes"]]
    if names != sorted(names):
        bad("--sort comm is not in order")


def asleep(pid):
    wait_for(lambda: text_of(f"/proc/{pid}/status"), lambda t: "\nState:\tS" in t)


def check_unprivileged():
    if not ROOT:
        return
    sleeper = subprocess.Popen(["sleep", "600"], user=NOBODY, group=NOBODY, extra_groups=[])
    try:
        asleep(sleeper.pid)
        found = rows(document := ps(os.getpid(), sleeper.pid, user=NOBODY))
        other, own = found[os.getpid()], found[sleeper.pid]
        if other["pss"] is not None or other["pss_missing"] != "needs-privilege":
            bad(f"PSS of another user's process is {other['pss']}")
        if other["rss_from"] != "counter" or not other["rss"]:
            bad(f"RSS of another user's process is {other['rss']} from {other['rss_from']}")
        if document["totals"]["once"] is not None:
            bad("frames were counted without the right to see them")
        if document["totals"]["refused"] != 1:
            bad(f"{document['totals']['refused']} refused, not 1")
        kernel = kernel_row(sleeper.pid)
        if own["rss_from"] != "rollup" or own["rss"] != kernel["rss"] or \
                own["uss"] > own["pss"] or own["pss"] > own["rss"]:
            bad(f"own process without rights: {own}")
    finally:
        sleeper.kill()
        sleeper.wait()


def check_hidepid():
    """In a mount namespace of its own; nobody looks."""
    if not ROOT or not shutil.which("unshare") or not shutil.which("setpriv"):
        return
    for hidepid, hidden in ((2, "not listed"), (1, "refused")):
        script = f"mount -t proc -o hidepid={hidepid} proc /proc && exec setpriv " \
                 f"--reuid={NOBODY} --regid={NOBODY} --clear-groups {VMATLAS} ps --json"
        out = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True,
                             text=True, check=False)
        if out.returncode:
            print(f"hidepid={hidepid}: {out.stderr.strip()}")
            continue
        document = json.loads(out.stdout)
        users = {row["uid"] for row in document["processes"]}
        if users != {NOBODY}:
            bad(f"hidepid={hidepid}: rows of the users {users}")
        if (document["totals"]["refused"] > 0) != (hidden == "refused"):
            bad(f"hidepid={hidepid}: {document['totals']['refused']} refused")


def check_pid_namespace():
    if not ROOT or not shutil.which("unshare"):
        return
    shell = subprocess.Popen(["unshare", "-fp", "--mount-proc", "sh", "-c", "sleep 600; true"],
                             stderr=subprocess.DEVNULL)
    try:
        pids = wait_for(lambda: descendants(shell.pid), lambda p: len(p) == 3)
        found = rows(ps("--tree", shell.pid, "-o", "pid,inner_pid,pid_namespace,mount_namespace"))
        inner = [found[pid]["inner_pid"] for pid in pids]
        if inner != [None, 1, 2]:
            bad(f"numbers in the PID namespace: {inner}")
        for kind, member in (("pid", "pid_namespace"), ("mnt", "mount_namespace")):
            want = [int(os.readlink(f"/proc/{pid}/ns/{kind}").split("[")[1][:-1]) for pid in pids]
            if [found[pid][member] for pid in pids] != want or \
                    want[2] == int(os.readlink(f"/proc/self/ns/{kind}").split("[")[1][:-1]):
                bad(f"{member} of {pids} is not {want}")
        inside = rows(ps(prefix=["nsenter", "-t", str(pids[1]), "-p", "-m", "-r"]))
        if not {1, 2} <= set(inside) or len(inside) != 3:
            bad(f"from inside there are {sorted(inside)}")
        # What processes outside of the namespace map as well is divided by them too.
        for pid in (1, 2):
            pss, want = inside[pid]["pss"], kernel_row(pids[pid])["pss"]
            if abs(pss - want) > want // 4:
                bad(f"from inside the PSS of {pid} is {pss}, not {want}")
    finally:
        for pid in descendants(shell.pid)[::-1]:
            os.kill(pid, 9)
        shell.wait()


def charged(pid):
    """The group of the memory controller, else of version 2."""
    groups = [line.split(":", 2) for line in text_of(f"/proc/{pid}/cgroup").splitlines()]
    memory = [g[2] for g in groups if "memory" in g[1].split(",")]
    return memory[0] if memory and memory[0] != "/" else \
        ([g[2] for g in groups if g[0] == "0"] or memory)[0]


def check_cgroups():
    """Of version 1 and version 2, where they are mounted and may be written."""
    for mount, folder in (("memory controller", "/sys/fs/cgroup/memory"),
                          ("v2", "/sys/fs/cgroup/unified"), ("v2", "/sys/fs/cgroup")):
        group = f"{folder}/vmatlas-test-{os.getpid()}"
        try:
            if not os.path.exists(f"{folder}/cgroup.procs"):
                raise FileNotFoundError("not mounted")
            os.makedirs(f"{group}/below")
        except OSError as e:
            print(f"{folder}: {e.strerror or e}")
            continue
        sleepers = [subprocess.Popen(["sleep", "600"]) for _ in range(2)]
        try:
            for sleeper, path in zip(sleepers, (group, f"{group}/below")):
                with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
                    file.write(str(sleeper.pid))
            name = os.path.basename(group)
            want = {s.pid for s in sleepers}
            for pattern in (group, f"/{name}", name, f"{name[:-1]}*"):
                if set(rows(ps("--cgroup", pattern))) != want:
                    bad(f"{mount}: --cgroup {pattern} does not give {want}")
            found = rows(ps("--cgroup", f"{group}/below"))
            if list(found) != [sleepers[1].pid] or \
                    found[sleepers[1].pid]["cgroup"] != charged(sleepers[1].pid):
                bad(f"{mount}: below is {found}")
        finally:
            for sleeper in sleepers:
                sleeper.kill()
                sleeper.wait()
            for path in (f"{group}/below", group):
                wait_for(lambda p=path: text_of(f"{p}/cgroup.procs"), lambda t: not t)
                os.rmdir(path)


def check_vanishing():
    """Processes that come and go all the time are no failure."""
    storm = subprocess.Popen(["sh", "-c", "while :; do /bin/true & /bin/true; done"])
    try:
        for _ in range(20):
            document = ps("--tree", os.getpid())
            check_sums("vanishing", document)
            if document["totals"]["gone"] > 8:
                bad(f"of a tree of few {document['totals']['gone']} have gone")
            if document["totals"]["kernel"] > 8:	# zombies of it at most
                bad("kernel threads are counted among a tree")
            if any(row["pss"] is None for row in document["processes"]) and ROOT:
                bad("a process that vanished is a row without PSS")
    finally:
        storm.kill()
        storm.wait()


def check_names():
    """A name with a newline and a colour, and the command line on request only."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a\n\x1b[31m\\n(b) ")
        os.symlink(shutil.which("sleep"), path)
        sleeper = subprocess.Popen([path, "600"])
        try:
            wait_for(lambda: text_of(f"/proc/{sleeper.pid}/comm"), lambda t: t.startswith("a\n"))
            row = rows(ps(sleeper.pid))[sleeper.pid]
            if row["comm"] != "a\\x0a\\x1b[31m\\n(b) " or "cmdline" in row:
                bad(f"name {row['comm']!r}")
            out = subprocess.run([VMATLAS, "ps", "--openmetrics", str(sleeper.pid)],
                                 capture_output=True, check=True)
            family = openmetrics.parse(out.stdout)["vmatlas_process_virtual_bytes"]
            if [dict(labels)["comm"] for labels in family] != ["a\\x0a\\x1b[31m\\n(b) "] or \
                    list(family.values()) != [row["vss"]]:
                bad(f"metrics of a hostile name: {family}")
            row = rows(ps("-o", "pid,cmdline", sleeper.pid))[sleeper.pid]
            if not row["cmdline"].endswith("\\x0a\\x1b[31m\\n(b)  600"):
                bad(f"command line {row['cmdline']!r}")
        finally:
            sleeper.kill()
            sleeper.wait()


def check_all():
    for check in (check_states, check_same_space, check_leader_gone, check_snapshot, check_machine, check_order, check_unprivileged,
                  check_hidepid, check_pid_namespace, check_cgroups, check_vanishing,
                  check_names):
        check()


def main():
    # The tool maps the same libraries: with few others that changes their PSS too much.
    crowd = [subprocess.Popen(["sleep", "600"]) for _ in range(12)]
    try:
        check_all()
    finally:
        for process in crowd:
            process.kill()
            process.wait()
    return 1 if wrong else 0


sys.exit(main())
