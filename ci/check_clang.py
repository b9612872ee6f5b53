#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clang has no complaint about any C file, whatever compiler builds them"""

import json
import pathlib
import re
import shlex
import sys

import compiling

# What Clang does not know of GCC's flags, and what meson.build gives it besides.
OF_GCC = re.compile(r"-f(?:lto|call-used|no-align-loops)|-Wstack-usage=|--param$|asan-globals="
                    r"|-Wno-(?:tsan|maybe-uninitialized)")
OF_CLANG = ["-Wno-enum-enum-conversion", "-Wno-missing-field-initializers"]
OUTPUTS = ("-o", "-MF", "-MQ")
# The compiler itself comes after a cache, if the build has one.
COMPILER = re.compile(r"(?:.*/)?(?:gcc|clang|cc)(?:-\d+)?")


def command(text):
    """The build's command line as one of Clang that writes nothing."""
    words = shlex.split(text)
    start = next(i for i, word in enumerate(words) if COMPILER.fullmatch(word))
    kept, skip = [], False
    for word in words[start + 1:]:
        if not skip and word not in OUTPUTS and word != "-MD" and not OF_GCC.match(word):
            kept.append(word)
        skip = word in OUTPUTS
    return ["clang", *kept, *OF_CLANG, "-fno-color-diagnostics", "-Werror", "-fsyntax-only"]


def check(job):
    directory, text = job
    first = compiling.complaint(command(text), folder=directory)
    return first and first.removeprefix("../")


def main(build):
    entries = json.loads((pathlib.Path(build) / "compile_commands.json").read_text())
    jobs = {entry["file"]: (entry["directory"], entry["command"]) for entry in entries
            if entry["file"].endswith(".c")}
    return compiling.run(check, jobs.values()) if jobs else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
