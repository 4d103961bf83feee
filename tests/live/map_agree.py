#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""map_agree.py VMATLAS: the map against /proc/PID/smaps read by other code, VMA by VMA and as a
sum, on every process that can be read and stood still meanwhile; and the table against the JSON,
cell by cell."""
import json
import os
import re
import subprocess
import sys
import tempfile

VMATLAS = sys.argv[1]
HEADER = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) (....) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$")
# Other processes come and go, vmatlas itself maps libc: who shares file pages changes meanwhile.
SHARING = ("Pss", "Pss_Dirty", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty")
MEMBERS = {"Rss": "rss", "Pss": "pss", "Swap": "swap", "Anonymous": "anonymous"}
COUNTERS = ("rss", "pss", "uss", "swap", "anonymous")
found_bad = []


def bad(text):
    found_bad.append(text)


def smaps(pid):
    try:
        with open(f"/proc/{pid}/smaps", "rb") as f:
            return f.read()
    except OSError:
        return b""


def records(text):
    out = []
    for line in text.split(b"\n"):
        header = HEADER.match(line)
        if header:
            out.append({"header": header, "counters": {}, "flags": []})
        elif line.startswith(b"VmFlags:"):
            out[-1]["flags"] = line.split()[1:]
        elif line:
            key, value = line.split(b":", 1)
            number = int(value.split()[0])
            out[-1]["counters"][key.decode()] = number * 1024 if value.endswith(b" kB") else number
    return out


def escaped(name):
    """Only what is printable ASCII and no backslash is compared."""
    return all(32 <= c < 127 and c != 92 for c in name)


def compare_vma(pid, vma, record):
    h = record["header"]
    where = f"{pid} {h.group(1).decode()}"
    want = {
        "start": hex(int(h.group(1), 16)), "end": hex(int(h.group(2), 16)),
        "size": int(h.group(2), 16) - int(h.group(1), 16), "perms": h.group(3).decode(),
        "offset": hex(int(h.group(4), 16)), "device": h.group(5).decode(),
        "inode": int(h.group(6)), "sharing": "shared" if h.group(3)[3:4] == b"s" else "private",
    }
    for name, value in want.items():
        if vma[name] != value:
            bad(f"{where}: {name} is {vma[name]}, not {value}")
    name = h.group(7)
    if escaped(name):
        shown = (vma["path"] or "") + (" (deleted)" if vma["deleted"] else "")
        if shown != name.decode():
            bad(f"{where}: path is {shown}, not {name}")
    counters = record["counters"]
    resident = [sum(c[k] for k in SHARING[2:]) for c in (counters, vma["smaps"])]
    if resident[0] != resident[1]:
        bad(f"{where}: shared and private pages are {resident[1]}, not {resident[0]}")
    for key, value in counters.items():
        if int(h.group(6)) and key in SHARING:
            continue
        got = vma[MEMBERS[key]] if key in MEMBERS else vma["smaps"].get(key)
        if got != value:
            bad(f"{where}: {key} is {got}, not {value}")
    if vma["uss"] != vma["smaps"]["Private_Clean"] + vma["smaps"]["Private_Dirty"]:
        bad(f"{where}: uss is {vma['uss']}")
    if sorted(vma["flags"]) != sorted(f.decode() for f in record["flags"]):
        bad(f"{where}: flags are {vma['flags']}, not {record['flags']}")
    if not vma["reason"] or vma["certainty"] == "unknown":
        bad(f"{where}: no reason")


def compare_totals(pid, document, found):
    for key in ("rss", "pss", "uss", "swap", "size"):
        total = sum(c[key] for c in document["classes"])
        want = sum(v[key] for v in document["vmas"])
        if total != want:
            bad(f"{pid}: sum of {key} per class is {total}, not {want}")
    if document["process"]["vma_count"] != len(found):
        bad(f"{pid}: vma_count is {document['process']['vma_count']}")
    charge = sum(v["size"] for v in document["vmas"] if "ac" in v["flags"])
    if document["process"]["commit_charge"] != charge:
        bad(f"{pid}: commit charge is {document['process']['commit_charge']}, not {charge}")


def again(compare, pid):
    """What changed between two looks gets another chance."""
    for _ in range(5):
        mark = len(found_bad)
        count = compare(pid)
        if len(found_bad) == mark:
            return count
        wrong = found_bad[mark:]
        del found_bad[mark:]
    found_bad.extend(wrong)
    return count


def compare_process(pid):
    before = smaps(pid)
    if not before:
        return 0
    run = subprocess.run([VMATLAS, "map", "--json", str(pid)], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    # Its own map, or one that changed meanwhile.
    if pid == os.getpid() or smaps(pid) != before:
        return 0
    if run.returncode:
        bad(f"{pid}: exit {run.returncode}")
        return 0
    document = json.loads(run.stdout)
    found = records(before)
    if len(document["vmas"]) != len(found):
        bad(f"{pid}: {len(document['vmas'])} VMAs, not {len(found)}")
        return 0
    for vma, record in zip(document["vmas"], found):
        compare_vma(pid, vma, record)
    compare_totals(pid, document, found)
    return 1


def table_word(value, name):
    """A JSON value as --raw --bytes prints it; None where the two forms differ on purpose."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(value) or None
    if isinstance(value, dict):
        return None
    text = str(value)
    return text.replace("\\", "\\x5c").replace(" ", "\\x20") if text else None


def record(pid, folder):
    """What smaps says of shared pages changes with every process that starts: a record stands still."""
    for name in ("maps", "smaps", "stat", "status", "auxv", "limits"):
        with open(f"/proc/{pid}/{name}", "rb") as live, open(f"{folder}/{name}", "wb") as saved:
            saved.write(live.read())


def compare_recorded(pid):
    with tempfile.TemporaryDirectory() as folder:
        record(pid, folder)
        return compare_table(["--from", folder], ())


def compare_live(pid):
    return compare_table([str(pid)], COUNTERS)


def compare_table(operands, left_out):
    document = json.loads(subprocess.check_output([VMATLAS, "map", "--json", *operands]))
    names = [n for n in document["vmas"][0] if not n.endswith("_missing") and n not in left_out]
    raw = subprocess.check_output([VMATLAS, "map", "--raw", "--bytes", "--no-headings", "-o",
                                   ",".join(names), *operands]).decode().splitlines()
    if len(raw) != len(document["vmas"]):
        bad(f"{len(raw)} rows, not {len(document['vmas'])}")
    cells = 0
    for line, vma in zip(raw, document["vmas"]):
        words = line.split(" ")
        if len(words) != len(names):
            bad(f"{len(words)} cells, not {len(names)}: {line}")
            continue
        for name, word in zip(names, words):
            if vma["inode"] and name in ("pss", "uss"):
                continue
            want = table_word(vma[name], name)
            if want is None or word in (want, want.replace("yes", "true").replace("no", "false")):
                cells += want is not None
            else:
                bad(f"{vma['start']} {name}: {word} in the table, {vma[name]} in the JSON")
    return cells


def main():
    quiet = subprocess.Popen(["sleep", "1000"])
    try:
        subprocess.run(["sleep", "0.2"], check=True)
        count = sum(again(compare_process, int(p)) for p in os.listdir("/proc") if p.isdigit())
        cells = min(again(compare_live, quiet.pid), again(compare_recorded, quiet.pid))
    finally:
        quiet.kill()
        quiet.wait()
    print(f"{count} processes, {cells} cells")
    if not count or cells < 200:
        bad("too little was compared")
    for text in found_bad[:30]:
        print("failed:", text)
    return 1 if found_bad else 0


sys.exit(main())
