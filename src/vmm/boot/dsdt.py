#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compiles the DSDT and writes its bytes as a C header: dsdt.py SOURCE HEADER PREPROCESSOR..."""

import pathlib
import subprocess
import sys
import tempfile

WIDTH = 12


def run(command):
    """What the command wrote; a complaint ends this program."""
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, check=False)
    except FileNotFoundError:
        sys.exit(f"{command[0]} is missing (Debian's package acpica-tools has iasl)")
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{result.stdout}")
    return result.stdout


def compiled(source, preprocessor):
    """The table as it stands in memory."""
    with tempfile.TemporaryDirectory() as folder:
        plain = pathlib.Path(folder, "dsdt.asl")
        plain.write_text(run([*preprocessor, source]))
        # Warnings are errors.
        run(["iasl", "-we", "-p", plain.with_suffix(""), plain])
        return plain.with_suffix(".aml").read_bytes()


def main():
    source, header, *preprocessor = sys.argv[1:]
    table = compiled(source, preprocessor)
    rows = [", ".join(f"{byte:#04x}" for byte in table[start:start + WIDTH])
            for start in range(0, len(table), WIDTH)]
    text = ",\n\t".join(rows)
    pathlib.Path(header).write_text(
        "// The compiled DSDT: written by src/vmm/boot/dsdt.py.\n#pragma once\n\n"
        f"#include <stdint.h>\n\nstatic const uint8_t dsdt_table[] = {{\n\t{text},\n}};\n")


if __name__ == "__main__":
    main()
