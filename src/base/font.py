#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The screen's font as C: GNU Unifont's ASCII characters, of 8 x 16 points, as Debian's package
grub-common has them. Unifont may be used under the SIL Open Font License 1.1."""

import pathlib
import re
import sys

GLYPHS, HEIGHT = 128, 16


def glyphs(source):
    """Rows of each character's points, a byte a row."""
    numbers = [int(word, 16) for word in re.findall(r"\b0x[0-9a-f]{2}\b", source)]
    if len(numbers) != GLYPHS * HEIGHT:
        sys.exit(f"font: {len(numbers)} bytes instead of {GLYPHS} characters of {HEIGHT}")
    return [numbers[start:start + HEIGHT] for start in range(0, len(numbers), HEIGHT)]


def main():
    source, target = map(pathlib.Path, sys.argv[1:])
    rows = ("\t{" + ", ".join(map(str, glyph)) + "}," for glyph in glyphs(source.read_text()))
    target.write_text("#include <base/screen.h>\n\n"
                      "const uint8_t screen_font[GLYPHS][GLYPH_HEIGHT] = {\n" +
                      "\n".join(rows) + "\n};\n")


if __name__ == "__main__":
    main()
