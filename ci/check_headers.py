#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each header compiles alone."""

import sys

import compiling
from source_tree import GENERATED, KERNEL_ROOMS, ROOT, c_files, include_paths, room_of

COMMON = ["-std=gnu2x", "-ffreestanding", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
          "-Wno-unused-function", "-Wno-unused-const-variable"]
KERNEL = ["-mgeneral-regs-only", "-mno-red-zone", "-mcmodel=kernel", "-fno-pic"]


def check(path):
    """The compiler's complaint about a file that includes nothing but this header, twice."""
    place = path.relative_to(ROOT)
    room = room_of(place)
    flags = COMMON + (KERNEL if room in KERNEL_ROOMS else [])
    folders = [*(ROOT / base for base in include_paths(room)), *GENERATED]
    flags += [f"-I{folder}" for folder in folders]
    source = f'#include "{path}"\n' * 2
    first = compiling.complaint(["gcc", *flags, "-x", "c", "-"], source)
    return first and f"{place}:1: does not compile alone: {first}"


def main():
    headers = [path for path in c_files(("include", "src")) if path.suffix == ".h"]
    return compiling.run(check, headers)


if __name__ == "__main__":
    sys.exit(main())
