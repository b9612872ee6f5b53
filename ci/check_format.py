#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""All C is laid out as .clang-format says."""

import re
import shutil
import subprocess
import sys

from source_tree import ROOT, c_files

# Versions differ in how they lay out the same text: the one of Debian 12 decides.
REFERENCE = 14
SKIPPED = 77


def reference():
    """The program of the deciding version, or None, and what there is instead."""
    found = "no clang-format"
    for program in (f"clang-format-{REFERENCE}", "clang-format"):
        if shutil.which(program):
            found = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True,
                                   check=False).stdout.strip()
            if re.search(rf"\bversion {REFERENCE}\.", found):
                return program, found
    return None, found


def main():
    files = [str(path.relative_to(ROOT)) for path in c_files()]
    if not files:
        return 0
    program, found = reference()
    if program is None:
        print(f"not checked: here is {found}, and clang-format {REFERENCE}, which Debian 12 has, "
              "decides")
        return SKIPPED
    result = subprocess.run([program, "--dry-run", "-Werror", "--style=file", *files],
                            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, check=False)
    wrong = sorted({line.split(":")[0] for line in result.stdout.splitlines()
                    if "error:" in line})
    for path in wrong:
        print(f"{path}:1: not laid out as .clang-format says; run: clang-format -i {path}")
    if result.returncode != 0 and not wrong:
        print(result.stdout)
    return 1 if result.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
