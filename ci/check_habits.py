#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The habits of C that no compiler checks: CONTRIBUTING.md, "Style"; and that each planted fault
has its text in the source."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from source_tree import ROOT, c_files, includes

sys.path.insert(0, str(ROOT / "tests" / "unit" / "interleave"))
import plant  # noqa: E402

# Headers under include/ also serve programs in older C, where each parameter has a name.
FOLDERS = ("src", "tests", "bench", "tools")
FAULTS = ("tests/kernel/faults.txt", "tests/unit/interleave/faults.txt",
          "tests/system/selftest_faults.txt")

COMMENT = re.compile(r"//.*")
# How a declaration inside a function begins: type and name, and then no call.
DECLARATION = re.compile(
    r"\t+(?:\[\[\S+\]\] )?"
    r"(?:(?:static|const|volatile|unsigned|signed|struct|union|enum|alignas\(\S+\)) )*"
    r"[a-z_]\w*(?: const)? [*]*(?:const )?(?:\w+|\(\*\w+\)\(.*\))(?:\[[^\]]*\])*(?:[;,]| =|$)")
# Or of a structure without a name.
UNNAMED = re.compile(r"\t+(?:static )?(?:const )?(?:struct|union) \{$")
STATEMENT = re.compile(r"\t+(?:return|goto|else|case|typedef|if|for|while|switch|do|asm)\b")
NULL_TEST = re.compile(r"[!=]= (?:NULL|nullptr)\b|\b(?:NULL|nullptr) [!=]=")
UNUSED = re.compile(r"^\t+\(void\)\w+;")
# Names with two underscores are the compiler's and the C library's: no header of ours has them.
PROTOTYPE = re.compile(
    r"(?!static|typedef)(?!.*__attribute__)[\w\[\]: ]+[ *](?!__)\w+\([^{}=]*\);$")
RESULT = re.compile(r"^(?:extern )?(?:bool|enum error) \w+\(")


def is_test(path):
    return path.relative_to(ROOT).parts[0] == "tests"


def of_line(path, line):
    """What is wrong with a line alone."""
    if NULL_TEST.search(line):
        yield "a null test is `if (!x)` or `if (x)`"
    if UNUSED.match(line):
        yield "a parameter that is not used has no name"
    # Some helpers of tests count a failure themselves and return it for those who want it.
    if path.suffix == ".h" and not is_test(path) and RESULT.match(line):
        yield "a result that must be used is [[nodiscard]]"


def prototypes(path, lines):
    """Lines of a .c file where a prototype ends that belongs into a header."""
    text = ""
    for number, line in enumerate(lines, 1):
        if re.match(r"[\w\[]", line):
            text = line
        elif text and re.match(r"\t", line):
            text += " " + line.strip()
        else:
            text = ""
        if path.suffix == ".c" and PROTOTYPE.match(text):
            yield number, "prototypes stand in headers"
            text = ""


def is_declaration(line):
    return UNNAMED.match(line) or (DECLARATION.match(line) and not STATEMENT.match(line))


def bodies(lines):
    """(number, line) of the lines inside functions."""
    head = inside = False
    for number, line in enumerate(lines, 1):
        if re.match(r"[\w\[]", line):
            head = "(" in line and "=" not in line
            inside = head and line.endswith("{")
        elif line.startswith("}") or (head and line.endswith(";")):
            head = inside = False
        elif inside:
            yield number, line
        if head and line.endswith("{"):
            head, inside = False, True


def declarations(lines):
    """Where a statement follows a declaration without a blank line."""
    ended = None  # indent of the declaration that the line before ended
    declared = None  # indent of the declaration that goes on
    depth = 0  # of its braces
    for number, line in bodies(lines):
        indent = len(line) - len(line.lstrip("\t"))
        if declared is None and is_declaration(line):
            declared = indent
        elif declared is None and line.strip() and ended == indent and "_Static_assert" not in line:
            yield number, "a blank line follows declarations"
        ended = None
        if declared is not None:
            depth += line.count("{") - line.count("}")
            if depth == 0 and line.endswith(";"):
                ended, declared = declared, None


def own_header(path, place):
    names = [target for _, _, target in includes(path)]
    own = place.with_suffix(".h")
    if path.suffix == ".c" and (ROOT / own).is_file() and names[:1] != [own]:
        yield 1, f"the first header that it includes is its own, {own.name}"


def check(path):
    place = path.relative_to(ROOT)
    lines = [COMMENT.sub("", line).rstrip() for line in path.read_text().splitlines()]
    for number, line in enumerate(lines, 1):
        for problem in of_line(path, line):
            yield number, problem
    yield from prototypes(path, lines)
    yield from declarations(lines)
    yield from own_header(path, place)


def declared_twice(paths):
    """What the assembler or the linker script defines may be declared in the one file that uses
    it; if several do, in a header."""
    places = {}
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for name in re.findall(r"\w+(?=\[|[,;(])", line) if line.startswith("extern ") else ():
                other = places.setdefault(name, path)
                if other != path:
                    yield path, number, f"{name} is declared in {other.name}, too: use a header"


def faults_lost():
    """How many planted faults have their text not once in their source; a line tells of each."""
    lost = 0
    for faults in FAULTS:
        with tempfile.TemporaryDirectory() as tree:
            shutil.copytree(ROOT / "src", Path(tree) / "src")
            lost += len(plant.plant(Path(tree), ROOT / faults))
    return lost


def main():
    paths = c_files(FOLDERS)
    wrong = [(path, *found) for path in paths for found in check(path)]
    # Tests also declare what the assembler defined for the file that they test.
    wrong += declared_twice(path for path in c_files(("src",)) if path.suffix == ".c")
    for path, number, problem in wrong:
        print(f"{path.relative_to(ROOT)}:{number}: {problem}")
    return 1 if faults_lost() or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
