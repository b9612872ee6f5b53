# SPDX-License-Identifier: BSD-2-Clause
"""Turns the marked lines of offsets.c, compiled to assembly text, into NASM definitions."""

import pathlib
import re
import sys

MARK = re.compile(r'^\s*\.ascii\s+"@define (\w+) (-?\d+)"$', re.MULTILINE)


def main() -> int:
	source, target = map(pathlib.Path, sys.argv[1:3])
	rows = MARK.findall(source.read_text())
	if not rows:
		print(f"{source}:1: no @define line; was it made from offsets.c?", file=sys.stderr)
		return 1
	lines = [f"%define {name} {value}" for name, value in rows]
	target.write_text("; Made from offsets.c.\n" + "\n".join(lines) + "\n")
	return 0


sys.exit(main())
