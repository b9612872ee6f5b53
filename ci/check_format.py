#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""All C is laid out as .clang-format says."""

import subprocess
import sys

from source_tree import ROOT, c_files


def main():
    files = [str(path.relative_to(ROOT)) for path in c_files()]
    if not files:
        return 0
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", "--style=file", *files],
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
