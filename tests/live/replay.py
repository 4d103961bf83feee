# SPDX-License-Identifier: LGPL-2.1-or-later
"""replay.py VMATLAS SNAPSHOT PID...: every command says the same of the stopped processes and of
their recording. Asked live before and after: what moves by itself (LRU age, map counts of the C
library) may be as in one of the two."""
import json
import re
import subprocess
import sys

vmatlas, snapshot = sys.argv[1:3]
pids = sys.argv[3:]
bad = 0
checked = 0
# Of the answer, not of the process; a snapshot has no page cache, and other processes than the
# recorded ones are not in it.
OWN = ("time", "source", "cost")
NOT_HELD = ("duration_us", "user", "cached", "cached_missing", "evicted", "evicted_missing")
MOVING = ("referenced", "lru", "active", "idle")
# What is not recorded: memory, the page cache, processes that were not asked for.
GAPS = re.compile(r"\.access\.mem$|\.smaps\.Referenced$|"
                  r"\.addresses\[\d+\]\.(bytes|instructions|explanation|slot|elf\.source)")
AGE = 0x2000064  # REFERENCED, LRU, ACTIVE and IDLE of kpageflags


def run(*args):
    p = subprocess.run([vmatlas, *args], capture_output=True, text=True, errors="replace")
    return p.returncode, p.stdout, p.stderr


def leaves(value, path=""):
    if isinstance(value, dict):
        if value.get("role") == "vdso":  # every process maps these pages
            value = {k: v for k, v in value.items() if k not in ("pss", "sharers", "runs")}
        elif (value.get("page") or {}).get("state") == "kernel":
            value = dict(value, page={"state": "kernel"})
        for key, inner in value.items():
            if key not in NOT_HELD and (path or key not in OWN):
                yield from leaves(inner, path + "." + key)
    elif isinstance(value, list) and not all(isinstance(v, str) for v in value):
        yield path + "[]", len(value)
        for i, inner in enumerate(value):
            yield from leaves(inner, "%s[%d]" % (path, i))
    elif isinstance(value, list):
        yield path, tuple(re.sub(r"(by the kernel, mapped) .*", r"\1", v)
                          for v in value if v not in MOVING)
    elif path.endswith(".flags_raw") and value:
        yield path, int(value, 16) & ~AGE
    elif path.endswith("pss") and value:
        yield path, value // 4096
    else:
        yield path, value


def is_gap(what, path, replay):
    """An access whose effect depends on the page cache, or a member of the family elsewhere."""
    if GAPS.search(path):
        return True
    # Who has the name of a deleted file is not recorded.
    if what == "files" and (path.startswith(".totals.lost") or
                            replay.get(path.replace("_missing", "") + "_missing") == "not-recorded"):
        return True
    if "cow" in what and path == ".access.maps":  # read again where something moved meanwhile
        return True
    if "family" in what and path == ".access.pagemap_scan":  # asked of the parent
        return True
    access = re.match(r"(.*\.accesses\.\w+)\.", path)
    if access and "page cache" in str(replay.get(access.group(1) + ".reasons")):
        return True
    member = re.match(r"(\.family\.members\[\d+\])\.", path)
    return member and str(replay.get(member.group(1) + ".pid")) not in pids


def documents(text):
    found, at, decoder = [], 0, json.JSONDecoder()
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = decoder.raw_decode(text, at)
        found.append(document)
    return found


def compare(what, befores, replays, afters):
    global bad, checked
    if not len(befores) == len(replays) == len(afters):
        print("failed: %s: %d documents live, %d replayed" % (what, len(befores), len(replays)))
        bad += 1
        return
    for before, replay, after in zip(befores, replays, afters):
        if replay["source"]["kind"] != "snapshot":
            print("failed: %s: source.kind is not snapshot" % what)
            bad += 1
        one, other, got = (dict(leaves(d)) for d in (before, after, replay))
        checked += len(got)
        differ = [p for p in sorted(set(one) | set(got))
                  if got.get(p, "absent") not in (one.get(p, "absent"), other.get(p, "absent"))
                  and not is_gap(what, p, got)]
        for path in differ[:8]:
            print("failed: %s: %s is %r, live %r" % (what, path, got.get(path), one.get(path)))
        if differ:
            print("        %d values of %d differ" % (len(differ), len(got)))
            bad += 1


def text_of(out):
    return [line for line in out.splitlines() if not re.search(r"vdso|^share of it", line)]


def check(command, args, operands, live_extra=()):
    what = " ".join([command, *args])
    live = [command, *args, *live_extra, *operands]
    replay = [command, *args, "--from", snapshot, *operands]
    runs = [run(*live, "--json"), run(*replay, "--json"), run(*live, "--json")]
    if len({r[0] for r in runs}) > 1 or runs[0][2] != runs[1][2]:
        print("failed: %s: status %d live, %d replayed: %s%s" %
              (what, runs[0][0], runs[1][0], runs[0][2], runs[1][2]))
        global bad
        bad += 1
    compare(what, *(documents(r[1]) for r in runs))
    if command in ("addr", "ps", "share", "files") or "--family" in args:  # these say what of it is not recorded
        return
    texts = [text_of(run(*a)[1]) for a in (live, replay, live)]
    differ = [(b, a) for a, b, c in zip(*texts) if b != a and b != c]
    if len(texts[1]) not in (len(texts[0]), len(texts[2])) or differ:
        print("failed: %s: the text differs:" % what, *differ[:3], sep="\n    ")
        bad += 1


def addresses(pid):
    """The first page of each VMA, and two places where none is."""
    found = []
    with open("/proc/%s/maps" % pid) as maps:
        for line in maps:
            found.append("0x" + line.split("-")[0])
    return found[:40] + ["0x10", "0x7fffffffe000"]


for pid in pids[:1]:
    for command, *args in (["map"], ["map", "-v"], ["cow"], ["cow", "--pages"], ["cow", "--files"],
                           ["cow", "--picture"], ["cow", "--family"], ["cow", "--exact"],
                           ["cow", "--no-scan"], ["pagetable"], ["pagetable", "--entries"],
                           ["pagetable", "--tree"], ["elf"]):
        if "--family" not in args or len(pids) > 1:  # the parent is not recorded
            check(command, args, [pid])
for pid in pids[:3]:
    check("addr", [], [pid, *addresses(pid)])
check("cow", ["--pages"], pids)
for command in "ps", "share", "files":
    check(command, [], pids)
print("%d values compared" % checked)
sys.exit(bad > 0)
