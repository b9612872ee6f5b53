# SPDX-License-Identifier: BSD-2-Clause
"""Text that the kernel has drawn on a screen of points, read by its own font."""

import re

from nacre import places

FONT = places.BUILD / "src" / "arch" / "x86_64" / "cpu" / "font.c"
WIDTH, HEIGHT = 8, 16
PRINTABLE = range(0x20, 0x7f)
# A character that the font does not have.
UNKNOWN = "\ufffd"


def font():
    """Each character's text by its points, a byte a row."""
    rows = re.findall(r"^\t\{([0-9, ]+)\},$", FONT.read_text(), re.MULTILINE)
    return {bytes(map(int, rows[code].split(", "))): chr(code) for code in PRINTABLE}


def read_picture(path):
    """(columns, rows, bytes of all points) of a PPM."""
    data = path.read_bytes()
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    return int(head[1]), int(head[2]), data[head.end():]


def lines(path):
    """The picture's text; what is neither black nor of the font is unknown."""
    width, height, points = read_picture(path)
    known = font()
    # One bit a point: those that are not black.
    bits = bytes(any(points[at:at + 3]) for at in range(0, len(points), 3))
    found = []
    for top in range(0, height - HEIGHT + 1, HEIGHT):
        text = ""
        for left in range(0, width - WIDTH + 1, WIDTH):
            glyph = bytearray()
            for line in range(top, top + HEIGHT):
                at = line * width + left
                row = 0
                for bit in bits[at:at + WIDTH]:
                    row = row << 1 | bit
                glyph.append(row)
            text += known.get(bytes(glyph), UNKNOWN)
        found.append(text.rstrip())
    return found
