# SPDX-License-Identifier: BSD-2-Clause
"""Colours the `[name]` labels at the start of lines, for a terminal."""

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)
LABEL_LIMIT = 24
NAME = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"


class Painter:
    """A label may come in pieces: what may yet become one is held back until that is clear."""

    def __init__(self):
        self._held = bytearray()
        self._at_start = True
        self._colours = {}

    def paint(self, data):
        output = bytearray()
        for byte in data:
            if self._at_start:
                self._held.append(byte)
                self._settle(output)
            else:
                output.append(byte)
                self._at_start = byte == ord("\n")
        return bytes(output)

    def _settle(self, output):
        """Decides about the start of a line as soon as it is clear."""
        held = self._held
        if held[-1] in b"\r\n":
            output += held
            held.clear()
        elif len(held) > 2 and held[0] == ord("[") and held[-1] == ord("]"):
            output += self._label(bytes(held))
            held.clear()
            self._at_start = False
        elif held[0] != ord("[") or len(held) > LABEL_LIMIT or (
                len(held) > 1 and held[-1] not in NAME):
            output += held
            held.clear()
            self._at_start = False

    def _label(self, label):
        colour = self._colours.setdefault(label, COLOURS[len(self._colours) % len(COLOURS)])
        return b"\x1b[1;%dm%s\x1b[0m" % (colour, label)
