#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Files start with a licence line and hold no machine paths, open ends, conditionals in C or words
of a private dialect; what is not text is small."""

import re
import sys

from source_tree import ROOT

LICENCE = "SPDX-License-Identifier: BSD-2-Clause"
LICENSED = {".c", ".h", ".asm", ".py", ".sh", ".ld", ".build", ".cfg", ".xml", ".system"}
COLUMNS = 100
# Bytes of a file that is not text: an example's content, not what a program made.
BINARY = 8192
TAB = {".py": 4}
RULES = (
    (re.compile(r"(?<![\w.])/(home|work|root|Users)/(?!build\b)\w"),
     "a path of one machine", None),
    (re.compile("TO" + r"DO\b|\bFIX" + r"ME\b|\bXX" + r"X\b"), "an open end", None),
    (re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b"),
     "a conditional in a .c file: decide at boot or by linking", {".c"}),
)
# Words that were used here, and the standard term or plain sentence to write instead.
DIALECT = (
    (r"no|some|every|any", r"body", "name the actor"),
    (r"who", r"(?:so)?ever", "name the actor"),
    (r"(?:is|are|was|were|be|been) ", r"told", "is sent, is notified, is reported"),
    (r"hears? ", r"of", "is notified of, is sent"),
    (r"puts? ", r"aside", "preempt"),
    (r"ways? in ", r"and out", "kernel entry and exit"),
    (r"far ", r"end", "back end"),
    (r"of (?:its|his|their) ", r"making", "forged"),
    (r"behind its first ", r"look", "slow path of"),
    (r"no success ", r"of", "failed"),
    (r"\w+_", r"soon", "_fast"),
    (r"has not ", r"got", "does not have"),
    (r"play", r"ground", "arena"),
    (r"same", r"ness", "equivalence"),
)
# A macro of the kernel tests: here it means what it says.
ALLOWED = ("check_soon",)
REFUSED = re.compile("|".join(rf"\b(?:{start})(?:{end})\b" for start, end, _ in DIALECT))


def files():
    """All files but those that .gitignore leaves out."""
    found = []
    for top in sorted(ROOT.iterdir()):
        if top.name == ".git" or top.name == "build" or top.name.startswith("build-"):
            continue
        found += [top] if top.is_file() else top.rglob("*")
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def check_dialect(place, number, line):
    found = REFUSED.search(line.lower())
    if not found or found[0] in ALLOWED: return
    for start, end, instead in DIALECT:
        if re.fullmatch(rf"(?:{start})(?:{end})", found[0]):
            yield f"{place}:{number}: \"{found[0]}\": write: {instead}"


def check(path):
    place = path.relative_to(ROOT)
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        if path.stat().st_size > BINARY:
            yield f"{place}:1: not text, and longer than {BINARY} bytes: does it belong here?"
        return
    if path.suffix in LICENSED and lines and not any(LICENCE in line for line in lines[:3]):
        yield f"{place}:1: the first line must be the licence: {LICENCE}"
    for number, line in enumerate(lines, 1):
        if path.suffix in LICENSED and len(line.expandtabs(TAB.get(path.suffix, 8))) > COLUMNS:
            yield f"{place}:{number}: longer than {COLUMNS} columns"
        for pattern, what, suffixes in RULES:
            if (suffixes is None or path.suffix in suffixes) and pattern.search(line):
                yield f"{place}:{number}: {what}: {line.strip()[:60]}"
        yield from check_dialect(place, number, line)


def main():
    wrong = [text for path in files() for text in check(path)]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
