# SPDX-License-Identifier: BSD-2-Clause
"""The keyboard's escape key and the coloured labels."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import keys  # noqa: E402
from nacre.paint import Painter  # noqa: E402


def strip(data):
    """The painted bytes without their colours."""
    parts = data.split(b"\x1b[")
    return parts[0] + b"".join(part.split(b"m", 1)[1] for part in parts[1:])


class KeysTest(unittest.TestCase):
    def test_plain_keys_pass(self):
        self.assertEqual(keys.Keys().feed(b"ls\r\x03"), [(keys.TYPE, b"ls\r\x03")])

    def test_quit(self):
        self.assertEqual(keys.Keys().feed(b"\x01x"), [(keys.QUIT, b"")])

    def test_escape_split_over_reads(self):
        typed = keys.Keys()
        self.assertEqual(typed.feed(b"a\x01"), [(keys.TYPE, b"a")])
        self.assertEqual(typed.feed(b"h"), [(keys.SHOW_HELP, b"")])

    def test_switch_goes_to_the_machine(self):
        self.assertEqual(keys.Keys().feed(b"\x01cb"), [(keys.TYPE, b"\x01c"), (keys.TYPE, b"b")])

    def test_order_is_kept(self):
        self.assertEqual(keys.Keys().feed(b"a\x01\x01b"), [
            (keys.TYPE, b"a"), (keys.TYPE, b"\x01\x01"), (keys.TYPE, b"b")])

    def test_unknown_key_shows_the_help(self):
        self.assertEqual(keys.Keys().feed(b"\x01z"), [(keys.SHOW_HELP, b"")])


class PainterTest(unittest.TestCase):
    def test_label_is_coloured(self):
        painted = Painter().paint(b"[guest] hello\n")
        self.assertTrue(painted.startswith(b"\x1b[1;36m[guest]\x1b[0m"))

    def test_each_speaker_keeps_a_colour(self):
        painter = Painter()
        first = painter.paint(b"[a] x\n")
        painter.paint(b"[b] x\n")
        self.assertEqual(painter.paint(b"[a] x\n"), first)

    def test_nothing_is_lost_however_it_is_cut(self):
        data = b"boot\r\n[guest] [    0.1] x\n[ 1] y\n\n[\n[not a label] z\n[guest] # "
        for cut in range(len(data)):
            painter = Painter()
            painted = painter.paint(data[:cut]) + painter.paint(data[cut:])
            self.assertEqual(strip(painted), data, cut)

    def test_a_prompt_is_not_held_back(self):
        self.assertEqual(strip(Painter().paint(b"[guest] # ")), b"[guest] # ")


if __name__ == "__main__":
    unittest.main()
