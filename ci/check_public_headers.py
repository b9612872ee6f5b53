#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each header of the SDK compiles alone, by GCC and clang, in C from C11 on and in C++17"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

from source_tree import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from compose import boards  # noqa: E402
from nacre import sdk_include  # noqa: E402

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only")
C = ("c11", "gnu11", "gnu17", "gnu2x")
COMPILERS = [*((name, standard, "c") for name in ("gcc", "clang") for standard in C),
             ("g++", "c++17", "c++"), ("clang++", "c++17", "c++")]


def check(job):
    """The first complaint about a file that includes nothing but this header, twice."""
    folder, header, (compiler, standard, language) = job
    # ISO C wants a declaration in each file; some headers have only macros.
    source = f"#include <{header}>\n#include <{header}>\nextern int declaration;\n"
    result = subprocess.run([compiler, f"-std={standard}", *WARNINGS, "-I", folder,
                             "-x", language, "-"], input=source, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode == 0:
        return None
    first = next((line for line in result.stdout.splitlines() if "error:" in line),
                 result.stdout[:300])
    return f"<{header}>: {compiler} -std={standard}: {first}"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sdk_include.write(folder, boards.DEFAULT_BOARD, boards.CONFIGS["benchmark"])
        headers = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.h"))
        jobs = [(folder, header, compiler) for header in headers for compiler in COMPILERS]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            complaints = [text for text in pool.map(check, jobs) if text]
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
