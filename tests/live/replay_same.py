#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""replay_same.py LIVE SNAPSHOT: two JSON answers, live and from a snapshot of the same stopped
process, are the same. With --gaps, what only memory can tell may be not-recorded in the second."""
import json
import re
import sys

# What other processes change meanwhile, or what tells that it is a snapshot.
OTHERS = {"source", "time", "cost", "access", "warnings", "pss", "uss", "rss", "sharers", "mappings",
	  "shared", "swap_pss", "smaps", "runs", "flags", "flags_raw"}
MEMORY = {"bytes", "slot", "instructions", "source_file", "source_line", "file_bytes", "memory_bytes",
	  "file_code", "memory_code"}
# What else depends on them, in sentences.
COUNTED = re.compile(r"mapped (once|[0-9,]+ times)")
found = []


def is_word(live, snap):
    """The same word of pagemap but for bit 56, which others change."""
    return all(isinstance(x, str) and x.startswith("0x") for x in (live, snap)) and \
        (int(live, 16) ^ int(snap, 16)) & ~(1 << 56) == 0


def same(live, snap, at, gaps):
    if type(live) is not type(snap):
        found.append(f"{at}: {str(live)[:200]} and {str(snap)[:200]}")
    elif isinstance(live, dict):
        for key in sorted(live.keys() | snap.keys()):
            if key in OTHERS or key.endswith("_missing"):
                continue
            if gaps and key in MEMORY and snap.get(key) is None:
                if live.get(key) is not None and snap.get(key + "_missing") != "not-recorded":
                    found.append(f"{at}.{key}: null without a reason")
                continue
            if key not in live or key not in snap:
                found.append(f"{at}.{key}: only {'live' if key in live else 'in the snapshot'}")
                continue
            if key == "raw" and is_word(live[key], snap[key]):
                continue
            same(live[key], snap[key], f"{at}.{key}", gaps)
    elif isinstance(live, list):
        if len(live) != len(snap):
            found.append(f"{at}: {len(live)} and {len(snap)} elements")
        for i, pair in enumerate(zip(live, snap)):
            same(*pair, f"{at}[{i}]", gaps)
    elif isinstance(live, str) and COUNTED.sub("mapped", live) == COUNTED.sub("mapped", snap):
        return
    elif live != snap:
        found.append(f"{at}: {str(live)[:200]} and {str(snap)[:200]}")


gaps = sys.argv[1] == "--gaps"
live, snap = (json.load(open(name)) for name in sys.argv[1 + gaps:])
same(live, snap, "", gaps)
messages = [sorted(w["message"] for w in d.get("warnings", [])) for d in (live, snap)]
if messages[0] != messages[1]:
    found.append(f"warnings: {messages[0]} and {messages[1]}")
print("\n".join(found[:20]), end="\n" if found else "")
sys.exit(bool(found))
