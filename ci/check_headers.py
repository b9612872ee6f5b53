#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each header compiles alone."""

import concurrent.futures
import os
import subprocess
import sys

from source_tree import GENERATED, KERNEL_ROOMS, ROOT, c_files, include_paths, room_of

COMMON = ["-std=gnu2x", "-ffreestanding", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
          "-Wno-unused-function", "-Wno-unused-const-variable"]
KERNEL = ["-mgeneral-regs-only", "-mno-red-zone", "-mcmodel=kernel", "-fno-pic"]


def check(path):
    """The compiler's complaint about a file that includes nothing but this header, twice."""
    place = path.relative_to(ROOT)
    room = room_of(place)
    flags = COMMON + (KERNEL if room in KERNEL_ROOMS else [])
    flags += [f"-I{ROOT / base}" for base in include_paths(room)] + [f"-I{GENERATED}"]
    source = f'#include "{path}"\n' * 2
    result = subprocess.run(["gcc", *flags, "-x", "c", "-"], input=source, cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False)
    if result.returncode == 0:
        return None
    first = next((line for line in result.stdout.splitlines() if "error:" in line),
                 result.stdout[:300])
    return f"{place}:1: does not compile alone: {first}"


def main():
    headers = [path for path in c_files(("include", "src")) if path.suffix == ".h"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [text for text in pool.map(check, headers) if text]
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
