#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""widths.py VMATLAS TOP: on a terminal no line of any command is wider than the terminal."""
import fcntl
import os
import pathlib
import pty
import re
import struct
import sys
import termios

vmatlas, top = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
COMMANDS = """map; map -v; cow; cow -v; cow --files; cow --pages; cow --states; cow --picture; pagetable;
pagetable --vmas; pagetable --tree; pagetable --entries; elf; elf --pages; share; share --files; ps -v; files;
files --users"""
wrong = 0


def on_terminal(columns, words):
    """What the command prints on a terminal of so many columns, as lines without colours."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        for name in ("COLUMNS", "NO_COLOR"):
            os.environ.pop(name, None)
        os.environ.update(LC_ALL="C", TERM="xterm")
        os.execv(vmatlas, [vmatlas, *words])
    out = b""
    while True:
        try:
            piece = os.read(fd, 1 << 16)
        except OSError:         # EIO: the other side is closed
            break
        if not piece:
            break
        out += piece
    os.close(fd)
    return re.sub(r"\x1b\[[0-9;]*m", "", out.decode()).replace("\r\n", "\n").split("\n"), os.waitpid(pid, 0)[1]


def check(columns, words):
    global wrong
    lines, status = on_terminal(columns, words)
    # A word that is longer than a line cannot be broken.
    wide = [x for x in lines if len(x) > columns and len(x.split()[-1]) < columns / 2]
    if os.WIFSIGNALED(status) or len(lines) < 2:
        print(f"failed: {' '.join(words)}: status {status}")
        wrong += 1
    if wide:
        print(f"failed: {len(wide)} lines of {' '.join(words)} are wider than {columns}:", *wide[:3], sep="\n  ")
        wrong += 1


for folder in sorted((top / "fixtures" / "recorded").iterdir()):
    if not (folder / "manifest").exists():
        continue
    for command in COMMANDS.split(";"):
        for columns in (80, 120):
            check(columns, [*command.split(), "--from", str(folder)])
    for columns in (80, 120):
        check(columns, ["addr", "--from", str(folder), "stack", "entry"])
for columns in (80, 120):
    check(columns, ["diff", "-v", f"{top}/fixtures/recorded/thp/", f"{top}/fixtures/recorded/swap/"])
sys.exit(wrong != 0)
