#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every outcome of every invocation has a test in tests/kernel or tests/guests."""

import re
import sys

from source_tree import ROOT

ROWS = ROOT / "tests" / "kernel" / "rows.txt"
TESTS = ("tests/kernel", "tests/guests")
ROW = re.compile(r"(\w+/\d+) (?:Success|[A-Z]\w+(?: [^:]+)?: \S.*)")
NAMED = re.compile(r"\b([A-Z][A-Za-z0-9]+/\d+)\b")
# Rows without a test that are put up with. It can only shrink.
MAY_BE_MISSING = 0


def rows():
    """{name: the text after the number sign} for each row."""
    found = {}
    for number, line in enumerate(ROWS.read_text().splitlines(), 1):
        text, _, note = line.partition("#")
        match = ROW.fullmatch(text.strip())
        if match:
            found[match[1]] = note.strip()
        elif text.strip():
            sys.exit(f"{ROWS.relative_to(ROOT)}:{number}: write `OPERATION/ORDER Success` or "
                     "`OPERATION/ORDER ERROR WORDS: CONDITION`")
    return found


def named_rows():
    """(row, path, line number) for each row that a test names in a string."""
    for folder in TESTS:
        for path in sorted((ROOT / folder).glob("*.c")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                for text in re.findall(r'"([^"]*)"', line):
                    for name in NAMED.findall(text):
                        yield name, path.relative_to(ROOT), number


def main():
    known = rows()
    tested = set()
    wrong = 0
    for name, path, number in named_rows():
        tested.add(name)
        if name not in known:
            print(f"{path}:{number}: {ROWS.relative_to(ROOT)} has no row {name}")
            wrong += 1
    missing = [name for name, note in known.items() if name not in tested and not note]
    for name in missing:
        print(f"{ROWS.relative_to(ROOT)}: no test names {name}")
    notes = [note for name, note in known.items() if name not in tested and note]
    needs = sum(note.startswith("needs:") for note in notes)
    print(f"{len(missing)} rows without a test (of {len(known)}; {len(notes) - needs} cannot be "
          f"reached, {needs} need hardware that the emulators lack)")
    return 1 if wrong or len(missing) > MAY_BE_MISSING else 0


if __name__ == "__main__":
    sys.exit(main())
