# SPDX-License-Identifier: LGPL-2.1-or-later
"""memstate for tests in Python."""
import subprocess


class State:
    """A memstate in one of its states, with its children, until the block ends.

    `said` is what it said, in words, `ready` whether it is in the state, `why` what it said last,
    `pids` its PID and those of its children.
    """

    def __init__(self, memstate, name, **how):
        self.process = subprocess.Popen([memstate, name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, **how)
        self.pids, self.said = [], []
        for line in self.process.stdout:
            words = line.split()
            self.said.append(words)
            if words[0] == "ready":
                self.pids.append(int(words[1].removeprefix("pid=")))
            elif words[0] == "child":
                self.pids.append(int(words[1]))
            elif words[0] in ("end", "skip"):
                break
        self.ready = self.said[-1:] == [["end"]]
        self.why = " ".join(self.said[-1]) if self.said else "it said nothing"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def lines(self, word):
        """What it said of that kind, without the word: "expect", "vma", "process"."""
        return [words[1:] for words in self.said if words[0] == word]
