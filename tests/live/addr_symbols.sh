#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Symbols of a live process against nm, source lines against addr2line, bytes against the file.
. "${srcdir:-.}/tests/live/common.sh"
needs nm addr2line python3
state_start "$tools/memstate" anon-written || skip "$(cat out err)"

cat >compare.py <<'EOP'
import collections, json, os, subprocess, sys

vmatlas, program, pid = sys.argv[1:]
bad = []


def ask(queries, status=0):
    done = subprocess.run([vmatlas, "addr", pid, "-", "--json"], input="\n".join(queries), text=True,
                          capture_output=True)
    if done.returncode != status:
        bad.append(f"exit {done.returncode}, not {status}: {done.stderr[:500]}")
    return json.loads(done.stdout)["addresses"]


names = collections.defaultdict(set)
at = collections.defaultdict(set)
code = set()
for line in subprocess.check_output(["nm", program], text=True).splitlines():
    value, kind, name = line.rsplit(maxsplit=2) if len(line.split()) == 3 else (None, "U", "")
    # _end may lie behind the last page.
    if kind in "TtDdBbRr" and "." not in name and "@" not in name and name != "_end":
        names[name].add(int(value, 16))
        at[int(value, 16)].add(name)
        if kind in "Tt":
            code.add(int(value, 16))

file = os.path.basename(program)
single = sorted(n for n, values in names.items() if len(values) == 1)
several = sorted(n for n, values in names.items() if len(values) > 1)
answers = ask([f"{file}!{n}" for n in single])
bias = int(answers[0]["elf"]["load_bias"], 16)
text = open(program, "rb").read()
lines = []
for name, a in zip(single, answers, strict=True):
    value = next(iter(names[name]))
    if a["address"] is None or int(a["address"], 16) != bias + value:
        bad.append(f"{name}: {a['address']}, not {bias + value:#x}: {a['explanation']}")
        continue
    if a["elf"]["symbol"] not in at[value] or a["elf"]["symbol_offset"] != "0x0":
        bad.append(f"{name}: the address is {a['elf']['symbol']}+{a['elf']['symbol_offset']}")
    if value not in code:
        continue
    lines.append((value, a))
    bytes_ = bytes.fromhex(a["bytes"]["hex"])
    offset = int(a["file_offset"], 16)
    if bytes_ != text[offset:offset + len(bytes_)]:
        bad.append(f"{name}: the bytes are not the file's")
    if a["address"] not in [i["address"] for i in a["instructions"]]:
        bad.append(f"{name}: no instruction begins there: {a['instructions']}")

told = subprocess.run(["addr2line", "-e", program], input="\n".join(hex(v) for v, _ in lines),
                      text=True, capture_output=True).stdout.splitlines()
known = 0
for (value, a), want in zip(lines, told, strict=True):
    want = want.split(" ")[0]
    if want.startswith("??") or want.endswith(":?"):
        continue
    known += 1
    path, number = want.rsplit(":", 1)
    got = a["elf"]["source_file"]
    if got is None or os.path.basename(got) != os.path.basename(path) or \
            a["elf"]["source_line"] != int(number):
        bad.append(f"{value:#x}: line {got}:{a['elf']['source_line']}, not {want}")

for name in several[:20]:
    a = ask([f"{file}!{name}"], status=1)[0]
    if a["address"] is not None or len(a["candidates"]) != len(names[name]):
        bad.append(f"{name}: {a['candidates']}, but nm has {len(names[name])}")
    for value in names[name]:
        if not any(c.startswith(f"{bias + value:#x} ") for c in a["candidates"]):
            bad.append(f"{name}: {bias + value:#x} is not among the candidates")

# Slots of the GOT hold what the C library has under that name; an IFUNC picks another function.
slots = {}
for line in subprocess.check_output(["readelf", "-rW", program], text=True).splitlines():
    words = line.split()
    if len(words) > 4 and words[2] in ("R_X86_64_JUMP_SLOT", "R_X86_64_GLOB_DAT") and "@GLIBC" in words[4]:
        slots[words[4].split("@")[0]] = bias + int(words[0], 16)
bound = resolved = 0
for name, a in zip(slots, ask([hex(at) for at in slots.values()]), strict=True):
    # A function that was not called yet is still the stub of the program itself.
    if not a["slot"] or "/libc." not in (a["slot"]["file"] or ""):
        continue
    resolved += 1
    target = json.loads(subprocess.run([vmatlas, "addr", pid, f"libc!{name}", "--json"], text=True,
                                       capture_output=True).stdout)["addresses"][0]["address"]
    bound += target == a["slot"]["value"]
if slots and (resolved < 5 or bound < resolved * 2 / 3):
    bad.append(f"only {bound} of {resolved} slots of the GOT hold the function of that name")

print(len(single), "symbols,", known, "lines,", len(several), "ambiguous names,",
      bound, "of", resolved, "slots")
if len(single) < 100 or not several:
    bad.append("too little to compare")
print("\n".join(bad[:20]))
sys.exit(bool(bad))
EOP
python3 compare.py "$vmatlas" "$tools/memstate" "$state_pid"
status=$?
state_stop
exit $status
