#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each header of the SDK compiles alone, by GCC and clang, in C from C11 on and in C++17"""

import pathlib
import sys
import tempfile

import compiling
from source_tree import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from compose import boards  # noqa: E402
from nacre.pack import sdk_include  # noqa: E402

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only")
C = ("c11", "gnu11", "gnu17", "gnu2x")
COMPILERS = [*((name, standard, "c") for name in ("gcc", "clang") for standard in C),
             ("g++", "c++17", "c++"), ("clang++", "c++17", "c++")]


def check(job):
    """The first complaint about a file that includes nothing but this header, twice."""
    folder, header, (compiler, standard, language) = job
    # ISO C wants a declaration in each file; some headers have only macros.
    source = f"#include <{header}>\n#include <{header}>\nextern int declaration;\n"
    command = [compiler, f"-std={standard}", *WARNINGS, "-I", folder, "-x", language, "-"]
    first = compiling.complaint(command, source)
    return first and f"<{header}>: {compiler} -std={standard}: {first}"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sdk_include.write(folder, boards.DEFAULT_BOARD, boards.CONFIGS["benchmark"])
        headers = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.h"))
        jobs = [(folder, header, compiler) for header in headers for compiler in COMPILERS]
        return compiling.run(check, jobs)


if __name__ == "__main__":
    sys.exit(main())
