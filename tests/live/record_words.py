#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""record_words.py PAGEMAP...: recorded runs as a line a page, without "mapped once" of file pages."""
import re
import sys

RUN = re.compile(r"([0-9a-f]+)(?:\+([0-9a-f]+))? ([0-9a-f]+)(?:([+-])([0-9a-f]+))?$")
ONCE, FILE = 1 << 56, 1 << 61


def words(line):
    first, count, word, sign, step = RUN.match(line).groups()
    step = int(step or "0", 16) * (-1 if sign == "-" else 1)
    for i in range(int(count or "1", 16)):
        value = int(word, 16) + i * step
        yield f"{int(first, 16) + i:x} {value & ~ONCE if value & FILE else value:x}\n"


for path in sys.argv[1:]:
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    assert lines.pop() == "end"
    with open(path, "w", encoding="ascii") as file:
        file.writelines(text for line in lines for text in words(line))
