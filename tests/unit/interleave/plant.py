#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compiles the kernel with planted faults: guards of it that are taken out while the program asks
for it. Each row of faults.txt replaces a text of one file, which must be there once."""

import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys

ROW = re.compile(r"^fault (\S+) (\S+) (\S+) (.*)\n((?:<.*\n)+)((?:>.*\n)+)", re.MULTILINE)
PLANTED = "(planted_fault == {number})"
HOST = ("tests/unit/interleave/host", "tests/unit/host")  # headers that replace the kernel's
FOLDERS = ("src", "src/arch/x86_64", "src/kernel")
DECLARATION = "extern int planted_fault;\n"


def rows(text):
    """(name, scenario, path, what is taken out, text, its replacement) of each fault."""
    for name, scenario, path, sentence, old, new in ROW.findall(text):
        yield name, scenario, path, sentence, *("\n".join(line[2:] for line in block.splitlines())
                                      for block in (old, new))


def plant(tree, faults):
    """Changes the copy of the sources. Returns the names of the rows whose text is not there."""
    gone = set()
    for number, (name, _, path, _, old, new) in enumerate(rows(faults.read_text()), 1):
        file = tree / path
        text = file.read_text() if file.exists() else ""
        if text.count(old) != 1:
            print(f"{faults}: fault {name}: {path} has its text {text.count(old)} times")
            gone.add(name)
            continue
        file.write_text(text.replace(old, new.replace("PLANTED", PLANTED.format(number=number))))
    return gone


def table(faults, gone):
    """A C table of the faults: name, scenario, sentence, and whether it is there."""
    lines = [f'\t{{"{name}", "{scenario}", "{sentence}", {int(name not in gone)}}},'
             for name, scenario, _, sentence, _, _ in rows(faults.read_text())]
    return "\n".join(["#include <faults.h>", "", "const struct planted faults[] = {", *lines,
                      "\t{},", "};", "", "int planted_fault;", ""])


def compile_one(options, source, tree, place):
    """The object file of a source, from the copy if that has it."""
    name = str(source.relative_to(options.root)) if source.is_relative_to(options.root) \
        else source.name
    target = place / (name.replace("/", "_") + ".o")
    copy = tree / name
    command = [*options.compiler.split("@"), "-include", str(place / "planted.h"),
               *(f"-I{options.root / folder}" for folder in HOST),
               *(f"-I{tree / folder}" for folder in FOLDERS),
               *options.flags.split("@"), "-c", str(copy if copy.exists() else source), "-o",
               str(target)]
    subprocess.run(command, check=True)
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--root", "--faults", "--output", "--depfile"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True, help="words joined by @")
    parser.add_argument("--flags", required=True, help="words joined by @")
    parser.add_argument("sources", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    options.root = options.root.resolve()

    place = options.output.parent / "planted"
    tree = place / "tree"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(options.root / "src", tree / "src")
    gone = plant(tree, options.faults)
    (place / "planted.h").write_text(DECLARATION)
    (place / "table.c").write_text(table(options.faults, gone))
    sources = [source.resolve() for source in options.sources] + [place / "table.c"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(lambda source: compile_one(options, source, tree, place), sources))
    options.output.unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", options.output, *objects], check=True)
    inputs = [str(path) for folder in ("src", "include", *HOST)
              for path in (options.root / folder).rglob("*.[ch]")]
    options.depfile.write_text(f"{options.output}: {' '.join([*inputs, str(options.faults)])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
