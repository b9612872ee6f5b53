# SPDX-License-Identifier: BSD-2-Clause
"""Copies of ELF files that are broken at one place."""

import re
import subprocess

UNDEFINED, RETURN = b"\x0f\x0b", b"\xc3"  # UD2, RET


def with_bytes(source, target, at, data):
    """A copy of the file that has the data there."""
    content = bytearray(source.read_bytes())
    content[at:at + len(data)] = data
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def function_offset(program, symbol):
    """Where the file has the first instruction of this function."""
    found = subprocess.run(["nm", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    address = int(re.search(rf"^(\w+) [tT] {symbol}$", found, re.MULTILINE)[1], 16)
    headers = subprocess.run(["readelf", "-lW", program], stdout=subprocess.PIPE, text=True,
                             check=True).stdout
    segments = [[int(word, 16) for word in row] for row in re.findall(
        r"LOAD +(0x\w+) (0x\w+) 0x\w+ (0x\w+)", headers)]
    return next(address - start + offset for offset, start, size in segments
                if start <= address < start + size)
