# SPDX-License-Identifier: BSD-2-Clause
"""Text on a screen of points, read by the font that it was drawn with."""

import re

from nacre import places

FONT = places.BUILD / "src" / "base" / "font.c"
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


def character(cell, known):
    """What a cell shows, of its points in rows: the first point has the colour of its paper."""
    glyph = bytearray()
    for line in range(0, len(cell), 3 * WIDTH):
        row = 0
        for at in range(line, line + 3 * WIDTH, 3):
            row = row << 1 | (cell[at:at + 3] != cell[:3])
        glyph.append(row)
    return known.get(bytes(glyph), UNKNOWN)


def lines(path):
    """The picture's text, in any colours; what is not of the font is unknown."""
    width, height, points = read_picture(path)
    known, cells, found = font(), {}, []
    for top in range(0, height - HEIGHT + 1, HEIGHT):
        rows = [points[3 * width * line:3 * width * (line + 1)]
                for line in range(top, top + HEIGHT)]
        text = ""
        for left in range(0, 3 * (width - WIDTH + 1), 3 * WIDTH):
            cell = b"".join([row[left:left + 3 * WIDTH] for row in rows])
            if cell not in cells:
                cells[cell] = character(cell, known)
            text += cells[cell]
        found.append(text.rstrip())
    return found
