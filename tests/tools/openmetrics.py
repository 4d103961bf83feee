#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""openmetrics.py [FILE]: a strict reader of the part of OpenMetrics text that vmatlas prints:
gauges, without time stamps, that the older text format of Prometheus takes as well. As a module,
parse(bytes) gives {name: {labels as sorted tuple of pairs: number}} or raises ValueError."""
import re
import sys

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
META = ["TYPE", "UNIT", "HELP"]
ESCAPES = {"\\": "\\", '"': '"', "n": "\n"}


def take(pattern, text, at, what):
    match = pattern.match(text, at)
    if not match:
        raise ValueError(f"no {what} at byte {at} of {text!r}")
    return match.group(), match.end()


def take_value(text, at):
    value = ""
    while text[at] != '"':
        if text[at] == "\\":
            at += 1
            if text[at] not in ESCAPES:
                raise ValueError(f"\\{text[at]} is no escape: {text!r}")
            value += ESCAPES[text[at]]
        else:
            value += text[at]
        at += 1
    return value, at + 1


def take_labels(text, at):
    labels = {}
    while text[at] != "}":
        if labels:
            if text[at] != ",":
                raise ValueError(f"no comma at byte {at} of {text!r}")
            at += 1
        name, at = take(LABEL, text, at, "name of a label")
        if name in labels or name.startswith("__") or text[at:at + 2] != '="':
            raise ValueError(f"label {name} of {text!r}")
        labels[name], at = take_value(text, at + 2)
    return labels, at + 1


def take_sample(text):
    name, at = take(NAME, text, 0, "name")
    labels = {}
    if text[at] == "{":
        labels, at = take_labels(text, at + 1)
    if text[at] != " ":
        raise ValueError(f"no blank before the number: {text!r}")
    number, at = take(NUMBER, text, at + 1, "number")
    if at != len(text):
        raise ValueError(f"something behind the number: {text!r}")
    return name, tuple(sorted(labels.items())), float(number) if "." in number else int(number)


class Family:
    def __init__(self):
        self.name, self.seen = None, set()

    def meta(self, kind, name, text, families):
        if kind == "TYPE":
            if name in families:
                raise ValueError(f"{name} comes twice, or in parts")
            self.name, self.seen = name, set()
            families[name] = {}
        if name != self.name or kind in self.seen or families[name]:
            raise ValueError(f"{kind} of {name} is out of place")
        if [m for m in META if m in self.seen and META.index(m) > META.index(kind)]:
            raise ValueError(f"{kind} of {name} comes too late")
        if kind == "TYPE" and text != "gauge":
            raise ValueError(f"{name} is no gauge but {text}")
        if kind == "UNIT" and not name.endswith("_" + text):
            raise ValueError(f"{name} does not end in its unit {text}")
        if kind == "HELP" and not text:
            raise ValueError(f"{name} has an empty HELP")
        self.seen.add(kind)


def parse(data):
    text = data.decode("utf-8", "strict")
    if not text.endswith("# EOF\n"):
        raise ValueError("the text is cut off: no # EOF at its end")
    families, family = {}, Family()
    for line in text[:-len("# EOF\n")].split("\n")[:-1]:
        if [c for c in line if ord(c) < 32 or ord(c) == 127]:
            raise ValueError(f"a control byte in {line!r}")
        if line.startswith("# "):
            words = line.split(" ", 3)
            if len(words) < 4 or words[1] not in META:
                raise ValueError(f"what is {line!r}?")
            family.meta(words[1], words[2], words[3], families)
            continue
        try:
            name, labels, number = take_sample(line)
        except IndexError:
            raise ValueError(f"cut off: {line!r}") from None
        if name != family.name or not {"TYPE", "HELP"} <= family.seen:
            raise ValueError(f"a sample of {name} among {family.name}")
        if labels in families[name]:
            raise ValueError(f"{name} has {labels} twice")
        if families[name] and {k for k, _ in labels} != {k for k, _ in next(iter(families[name]))}:
            raise ValueError(f"{name} has other labels in {line!r}")
        families[name][labels] = number
    return families


if __name__ == "__main__":
    try:
        with open(sys.argv[1], "rb") if len(sys.argv) > 1 else sys.stdin.buffer as file:
            parse(file.read())
    except ValueError as error:
        print(error)
        sys.exit(1)
