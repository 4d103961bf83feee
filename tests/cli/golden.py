#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""golden.py VMATLAS TOP [--write]: what the commands say of the snapshots in fixtures/.

TOP/fixtures/golden/SNAPSHOT/ holds for each command its text (with what it said on standard error
and its exit status) and its JSON without tool and cost, one element of an array a line; of that,
members may be added. --write writes them anew: look at the difference before you commit it.
"""
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys

vmatlas, top = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
WRITE = sys.argv[3:] == ["--write"]
GOLDEN = top / "fixtures" / "golden"
# Addresses are found by what they are: the first of the heap, the top of the stack, code.
COMMANDS = {
    "map": ["map"],
    "cow": ["cow", "--pages"],
    "pagetable": ["pagetable", "--vmas"],
    "addr": ["addr", "stack", "CODE"],
    "check": ["check"],
}
# Of snapshots that hold several processes, and the files they map.
MORE = {
    "share": ["share"],
    "ps": ["ps", "--all"],
    "elf": ["elf"],
}
wrong = 0


def snapshots():
    for group in ("machines", "recorded"):
        folder = top / "fixtures" / group
        if folder.is_dir():
            yield from ((f"{group}-{p.name}", p) for p in sorted(folder.iterdir()) if (p / "manifest").exists())


def lines_of(value, depth=0):
    """JSON in lines: members of objects down to the elements of arrays."""
    if isinstance(value, dict) and depth < 1:
        inner = ",\n".join(f"{json.dumps(k)}: {lines_of(v, depth + 1)}" for k, v in value.items())
        return "{\n" + inner + "\n}"
    if isinstance(value, list) and value and depth < 2 and not isinstance(value[0], str):
        return "[\n" + ",\n".join(lines_of(v, depth + 1) for v in value) + "\n]"
    return json.dumps(value)


def run(words):
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "LANGUAGE")}
    return subprocess.run([vmatlas, *words], cwd=top, env=environment | {"LC_ALL": "C"}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def text_of(words):
    done = run(words)
    said = re.sub(r"^(from first to last process +)\d.*", r"\1N", done.stdout.decode(), flags=re.M)
    return said + done.stderr.decode() + f"exit {done.returncode}\n"


def documents(text):
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        while text[at].isspace():
            at += 1
        document, at = decoder.raw_decode(text, at)
        yield document


def json_of(words):
    parts = []
    for document in documents(run([words[0], "--json", *words[1:]]).stdout.decode()):
        for name in ("cost", "tool"):
            document.pop(name, None)
        parts.append(lines_of(document) + "\n")
    return re.sub(r'("duration_us": )\d+', r"\g<1>0", "".join(parts))


def lacks(want, got, where=""):
    """Where got lacks something that was wanted, or has another value; more members are allowed."""
    if isinstance(want, dict) and isinstance(got, dict):
        for name, value in want.items():
            yield from lacks(value, got[name], f"{where}/{name}") if name in got else [f"{where}/{name} is not there"]
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for i, value in enumerate(want):
            yield from lacks(value, got[i], f"{where}/{i}")
    elif want != got:
        yield f"{where} is {json.dumps(got)[:80]}, not {json.dumps(want)[:80]}"


def text_differs(want, got):
    return difflib.unified_diff(want.splitlines(), got.splitlines(), "wanted", "got", lineterm="", n=0)


def compare(path, got):
    global wrong
    if WRITE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(got)
        return
    want = path.read_text() if path.exists() else ""
    if want == got:
        return
    said = text_differs(want, got)
    if path.suffix == ".json":
        said = lacks(list(documents(want)), list(documents(got)))
    said = list(said)
    wrong += bool(said)
    for line in ([f"failed: {path.relative_to(top)}"] + said[:20]) if said else []:
        print(line[:200])


def main():
    seen = 0
    for name, path in snapshots():
        here = str(path.relative_to(top))
        for command, words in (COMMANDS | (MORE if name.startswith("recorded") else {})).items():
            words = [*words[:1], "--from", here, *words[1:]]
            pids = re.findall(r"^process (\d+)", (path / "manifest").read_text(), re.M)
            if command in ("addr", "elf", "map", "pagetable"):
                words.insert(3, pids[0])
            words = [("states!begin" if name.startswith("recorded") else "example+0x1000") if w == "CODE" else w
                     for w in words]
            compare(GOLDEN / name / f"{command}.txt", text_of(words))
            compare(GOLDEN / name / f"{command}.json", json_of(words))
            seen += 1
    if wrong:
        print(f"{wrong} differ. If that is meant: python3 tests/cli/golden.py ./vmatlas . --write")
    return wrong != 0 or not seen


sys.exit(main())
