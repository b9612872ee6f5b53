#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Rooms, files and functions stay within their budgets."""

import json
import re
import subprocess
import sys

from source_tree import KERNEL_ROOMS, ROOT, room_of

KERNEL_FOLDERS = tuple(room for room in KERNEL_ROOMS if not room.startswith("src/kernel/"))
# Each room: its folders or files, and its budget. A file counts for the room that names it.
SCREEN = tuple(f"src/{name}.{suffix}"
               for name in ("base/screen", "arch/x86_64/entry/framebuffer") for suffix in "ch")
ROOM_BUDGETS = {"kernel": (KERNEL_FOLDERS, 12600), "kernel's screen": (SCREEN, 250),
                "vmm": (("src/vmm",), 9500)}
LANGUAGES = "C,C/C++ Header,Assembly"
FILE_BUDGETS = {".c": 400, ".h": 200, ".asm": 400}
FUNCTION_BUDGET = 60
KERNEL_FILE_BUDGETS = {".c": 350, ".h": 200, ".asm": 350}
KERNEL_FUNCTION_BUDGET = 45
FOLDERS = ("include", "src", "tests", "bench")
EXCEPTIONS = ROOT / "ci" / "size_exceptions"
FUNCTION_HEAD = re.compile(r"^(?![\s#}/{])[^;=]*?\b(\w+)\([^;]*\)\s*$")


def exceptions():
    """Lines of `path [function] lines reason`: what may be longer, up to which length."""
    allowed = {}
    for line in EXCEPTIONS.read_text().splitlines():
        words = line.split("#")[0].split()
        if len(words) == 2:
            allowed[words[0], None] = int(words[1])
        elif len(words) == 3:
            allowed[words[0], words[1]] = int(words[2])
    return allowed


def files_of_rooms():
    """The source files of each room."""
    named = {path for paths, _ in ROOM_BUDGETS.values() for path in paths
             if (ROOT / path).is_file()}
    for name, (paths, _) in ROOM_BUDGETS.items():
        found = set(paths) & named
        for folder in set(paths) - named:
            found |= {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*")
                      if path.suffix in FILE_BUDGETS} - named
        yield name, sorted(found)


def count_code(files):
    """Lines of code as cloc counts them."""
    result = subprocess.run(["cloc", "--json", "--quiet", "--force-lang=Assembly,asm",
                             f"--include-lang={LANGUAGES}", *files],
                            cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(result.stdout)["SUM"]["code"] if result.stdout.strip() else 0


def function_lengths(text):
    """(name, first line, lines) of each function: from its head to the brace at column 0."""
    start = None
    name = ""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if start is None and line.endswith("{") and not line.startswith("#"):
            last = number - 2 if line == "{" else number - 1
            start = head_line(lines, last)
            match = FUNCTION_HEAD.match(" ".join(lines[start:number]).rstrip(" {"))
            name = match.group(1) if match else ""
        elif line.startswith("}") and start is not None:
            if name:
                yield name, start + 1, number - start
            start = None


def head_line(lines, index):
    """The index of the first line of a function head that ends at the index."""
    while index > 0 and re.match(r"[\s)]", lines[index]):
        index -= 1
    return index


def check_file(path, allowed):
    place = path.relative_to(ROOT)
    text = path.read_text(errors="replace")
    count = text.count("\n")
    in_kernel = room_of(place) in KERNEL_ROOMS
    budgets = KERNEL_FILE_BUDGETS if in_kernel else FILE_BUDGETS
    budget = allowed.get((str(place), None), budgets[path.suffix])
    if count > budget:
        yield f"{place}:1: {count} lines, budget {budget}: split it by concept"
    for name, line, length in function_lengths(text) if path.suffix == ".c" else ():
        budget = allowed.get(
            (str(place), name), KERNEL_FUNCTION_BUDGET if in_kernel else FUNCTION_BUDGET)
        if length > budget:
            yield f"{place}:{line}: {name} has {length} lines, limit {budget}: split it"


def main():
    wrong = []
    for name, files in files_of_rooms():
        count, budget = count_code(files), ROOM_BUDGETS[name][1]
        print(f"{name}: {count} lines of code of {budget}")
        if count > budget:
            wrong.append(f"{name}: {count} lines of code, budget {budget}")
    allowed = exceptions()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in FILE_BUDGETS:
                wrong += check_file(path, allowed)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
