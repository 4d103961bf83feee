#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""files.py VMATLAS: objects whose pages are known, because pages that are written are mapped one
by one, held against what was done and against smaps."""
import ctypes
import json
import mmap
import os
import re
import shutil
import subprocess
import sys
import tempfile

VMATLAS = os.path.abspath(sys.argv[1])
ROOT = os.geteuid() == 0
PAGE = mmap.PAGESIZE
SIZE = 64 * PAGE
wrong = 0

# Maps a file and writes the first byte of each page of a range; stays until its input ends. Without
# read-ahead each page is a folio of its own: of a large one all pages would be mapped at once.
MAPPER = """
import mmap, os, sys
path, flags, first, end, size = sys.argv[1], *map(int, sys.argv[2:])
fd = os.open(path, os.O_RDWR)
m = mmap.mmap(fd, size, flags=flags)
os.close(fd)
m.madvise(mmap.MADV_RANDOM)
for page in range(first, end):
    m[page * mmap.PAGESIZE] = 1
print("ready", flush=True)
sys.stdin.read()
"""


def bad(text):
    global wrong
    wrong += 1
    print("failed:", text)


class Mapper:
    def __init__(self, path, shared, first, end, prefix=(), script=MAPPER):
        flags = mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", script, path, str(flags), str(first), str(end),
             str(SIZE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.said = self.process.stdout.readline().split()
        if not self.said or self.said[0] != "ready":
            raise RuntimeError("the mapper did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


def files(*args, user=None):
    extra = {"user": user, "group": user, "extra_groups": []} if user else {}
    out = subprocess.run([VMATLAS, "files", "--json", *map(str, args)], capture_output=True,
                         text=True, check=False, **extra)
    if out.returncode:
        raise RuntimeError(f"files {args}: exit {out.returncode}: {out.stderr}")
    return json.loads(out.stdout)


def one(document, what):
    if len(document["objects"]) != 1:
        bad(f"{what}: {len(document['objects'])} objects: {document['objects']}")
        return None
    return document["objects"][0]


def expect(what, row, **want):
    for key, value in want.items():
        if row is None or row[key] != value:
            bad(f"{what}: {key} is {row and row[key]}, not {value}")


def new_file(folder, name):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.truncate(SIZE)
    return path


def check_known(folder):
    """Two processes write overlapping halves of a file, a third has private copies of it."""
    path = new_file(folder, "known")
    with Mapper(path, True, 0, 16) as a, Mapper(path, True, 8, 24) as b, \
            Mapper(path, False, 0, 4) as c:
        pids = [a.pid, b.pid, c.pid]
        document = files("--path", path, *pids)
        row = one(document, "known")
        expect("known", row, path=path, size=SIZE, cached=24 * PAGE, kind="file", state="named",
               inode=os.stat(path).st_ino, count=3)
        if not ROOT:
            expect("known", row, rss=None, rss_missing="needs-privilege")
            return
        expect("known", row, once=24 * PAGE, copied=4 * PAGE, rss=36 * PAGE, pss=28 * PAGE,
               uss=20 * PAGE, swap=0, hugetlb=0)
        users = {user["pid"]: user for user in row["processes"]}
        expect("first", users[a.pid], rss=16 * PAGE, pss=12 * PAGE, uss=8 * PAGE, copied=0)
        expect("second", users[b.pid], rss=16 * PAGE, pss=12 * PAGE, uss=8 * PAGE)
        expect("third", users[c.pid], rss=4 * PAGE, pss=4 * PAGE, copied=4 * PAGE)
        expect("totals", document["totals"], once=24 * PAGE, copied=4 * PAGE, counted=3, lost=0)
        # Whoever is not in the set counts for PSS, but not for what the set maps.
        row = one(files("--path", "known", a.pid, c.pid), "two of three")
        expect("two of three", row, once=16 * PAGE, pss=16 * PAGE, count=2)
        rows = files("--users", "--path", "known", *pids)["users"]
        if sorted(r["pid"] for r in rows) != sorted(pids) or sum(r["rss"] for r in rows) != 36 * PAGE:
            bad(f"--users: {rows}")


def check_names(folder):
    gone, replaced, kept = (new_file(folder, name) for name in ("gone", "replaced", "kept"))
    with Mapper(gone, True, 0, 2) as a, Mapper(replaced, True, 0, 3) as b, \
            Mapper(kept, True, 0, 4) as c:
        os.unlink(gone)
        os.rename(new_file(folder, "new"), replaced)
        pids = [a.pid, b.pid, c.pid]
        states = {o["path"]: o for o in files("--path", folder + "/*", *pids)["objects"]}
        for path, state in ((gone, "deleted"), (replaced, "replaced"), (kept, "named")):
            expect(path, states.get(path), state=state)
        if ROOT:	# what has no name can be opened only through map_files
            expect(gone, states[gone], size=SIZE, once=2 * PAGE)
            expect(replaced, states[replaced], size=SIZE, once=3 * PAGE)
        document = files("--deleted", "--path", folder + "/*", *pids)
        if {o["path"] for o in document["objects"]} != {gone, replaced}:
            bad(f"--deleted: {[o['path'] for o in document['objects']]}")
        expect("--deleted", document["totals"], objects=2, lost=2)


def check_odd_names(folder):
    """Names that look like the kernel's own remark, or that maps escapes; a second link."""
    names = ("it (deleted)", "a\nb", "a\\012b", "n\n (deleted)")
    paths = [new_file(folder, name) for name in names]
    linked = new_file(folder, "linked")
    os.link(linked, os.path.join(folder, "other link"))
    with Mapper(paths[0], True, 0, 2) as a, Mapper(paths[1], True, 0, 3) as b, \
            Mapper(paths[2], True, 0, 4) as c, Mapper(paths[3], True, 0, 5) as d, \
            Mapper(linked, True, 0, 6) as e:
        os.unlink(linked)
        pids = [m.pid for m in (a, b, c, d, e)]
        found = {o["inode"]: o for o in files("--path", folder + "/*", *pids)["objects"]}
        for path in paths:
            shown = path.replace("\n", "\\x0a")
            expect(repr(path), found.get(os.stat(path).st_ino), path=shown, state="named")
        if len(files("--path", "*(deleted)", *pids)["objects"]) != 2:
            bad("--path does not find names that end in (deleted)")
        inode = os.stat(os.path.join(folder, "other link")).st_ino
        expect("one link of two removed", found.get(inode), path=linked, state="deleted")
        if not ROOT:
            return
        out = subprocess.run([VMATLAS, "share", "--json", *map(str, pids)], capture_output=True,
                             check=True)
        document = json.loads(out.stdout)
        shared = {o["inode"]: o for o in document["objects"]}
        for number, path in zip(range(2, 6), paths):
            want = found[os.stat(path).st_ino]["path"]
            expect(f"share of {path!r}", shared.get(os.stat(path).st_ino), path=want,
                   deleted=False, once=number * PAGE)
        expect("share of a second link", shared.get(inode), deleted=False, once=6 * PAGE)
        if document["set"]["freed"]["objects"]:
            bad(f"files that have a name are freed: {document['set']['freed']}")


def check_memfd():
    script = MAPPER.replace("os.open(path, os.O_RDWR)", "os.memfd_create(path)") \
        .replace("m = mmap", "os.ftruncate(fd, size); m = mmap")
    with Mapper("vm-test", True, 0, 5, script=script) as a:
        row = one(files("--path", "/memfd:vm-test", a.pid), "memfd")
        expect("memfd", row, kind="memfd", state=None, count=1)
        if ROOT:
            expect("memfd", row, once=5 * PAGE, rss=5 * PAGE, size=SIZE, cached=5 * PAGE)


def check_sysv():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    number = libc.shmget(0, ctypes.c_size_t(SIZE), 0o1600)
    if number < 0:
        print("no SysV shared memory here")
        return
    address = libc.shmat(number, None, 0)
    libc.shmctl(number, 0, None)
    ctypes.memset(address, 1, 6 * PAGE)
    row = [o for o in files(os.getpid())["objects"] if o["kind"] == "sysv"
           and o["inode"] == number]
    if len(row) != 1:
        bad(f"SysV: {row}")
    elif ROOT:
        expect("SysV", row[0], once=6 * PAGE, rss=6 * PAGE, size=SIZE, state=None)
    libc.shmdt(ctypes.c_void_p(address))


def check_mount_namespace(folder):
    """A file on a mount that only its process has."""
    if not ROOT or not shutil.which("unshare"):
        return
    path = os.path.join(folder, "mount", "inner")
    os.mkdir(os.path.dirname(path))
    script = f"import os, subprocess\nsubprocess.run(['mount', '-t', 'tmpfs', 'none', " \
             f"{os.path.dirname(path)!r}], check=True)\n" \
             f"open({path!r}, 'wb').write(b'x' * {SIZE})\n" + MAPPER
    with Mapper(path, True, 0, 7, prefix=("unshare", "-m"), script=script) as a:
        if os.path.exists(path):
            bad("the mount is not only in its namespace")
        with open(f"/proc/{a.pid}/maps", encoding="utf-8") as maps:
            if path not in maps.read().split():
                print("skipped: in a chroot, names of another mount namespace begin elsewhere")
                return
        row = one(files("--path", path, a.pid), "mount namespace")
        expect("mount namespace", row, path=path, once=7 * PAGE, size=SIZE, state="named")


def smaps(pid):
    """Rss, Anonymous and Private of each device and inode."""
    sums, key = {}, None
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            header = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ (\S+) (\d+)", line)
            if header:
                key = (header.group(1), int(header.group(2)))
                continue
            name, _, value = line.partition(":")
            if name in ("Rss", "Anonymous", "Private_Clean", "Private_Dirty") and key[1]:
                row = sums.setdefault(key, {"rss": 0, "copied": 0, "uss": 0})
                member = {"Rss": "rss", "Anonymous": "copied"}.get(name, "uss")
                row[member] += int(value.split()[0]) * 1024
    return sums


def check_smaps(folder, tries=40):
    """Every object of a process with many libraries."""
    path = new_file(folder, "many")
    with Mapper(path, True, 0, 1) as a:
        for _ in range(tries):
            want = smaps(a.pid)
            found = {(o["device"], o["inode"]): {k: o["processes"][0][k] for k in
                                                 ("rss", "copied", "uss")}
                     for o in files(a.pid)["objects"]}
            if want == smaps(a.pid) and want.keys() == found.keys() and \
                    all(f["rss"] == want[k]["rss"] and f["copied"] == want[k]["copied"]
                        and f["uss"] <= want[k]["uss"] for k, f in found.items()):
                return
        bad(f"smaps {want}, files {found}")


def main():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        check_known(folder)
        check_names(folder)
        check_odd_names(folder)
        check_memfd()
        check_sysv()
        check_mount_namespace(folder)
        if ROOT:
            check_smaps(folder)
    return 1 if wrong else 0


sys.exit(main())
