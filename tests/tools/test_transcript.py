# SPDX-License-Identifier: BSD-2-Clause
"""Texts are found in a machine's output however it is cut and labelled."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre.terminal.transcript import Cleaner, Script  # noqa: E402


def finishes(text, *chunks):
    script = Script([("until", text)])
    for chunk in chunks:
        script.feed(chunk)
    return script.finished


class TranscriptTest(unittest.TestCase):
    def test_text_in_one_piece(self):
        self.assertTrue(finishes("nacre-guest#", b"[guest] nacre-guest# "))

    def test_text_cut_at_every_place(self):
        data = b"[client] 1 call\r\n[guest] nacre-guest# "
        for cut in range(len(data)):
            self.assertTrue(finishes("nacre-guest#", data[:cut], data[cut:]), cut)

    def test_text_interrupted_by_another_speaker(self):
        self.assertTrue(finishes("nacre-guest#", b"[guest] nacre-\n[client] 5 calls\n",
                                 b"[guest] guest# "))

    def test_other_speakers_words_are_not_joined(self):
        self.assertFalse(finishes("nacre-guest#", b"[guest] nacre-\n[client] guest#\n"))

    def test_label_itself_is_found(self):
        self.assertTrue(finishes("[client] ", b"[client] hello"))

    def test_text_that_is_not_there(self):
        self.assertFalse(finishes("nacre-guest#", b"[guest] nacre-guest$ "))

    def test_brackets_that_are_no_label(self):
        self.assertTrue(finishes("0.5] booting", b"[    0.5] booting\n"))

    def test_characters_beyond_ascii(self):
        self.assertTrue(finishes("grün", "[guest] es ist grün\n".encode()))

    def test_steps_are_done_in_order(self):
        script = Script([("until", "# "), ("send", "uname"), ("until", "Linux")])
        self.assertEqual(script.feed(b"Linux\n"), b"")
        self.assertEqual(script.feed(b"# "), b"uname\r")
        self.assertFalse(script.finished)
        self.assertEqual(script.awaited, "Linux")
        script.feed(b"uname\nLinux\n")
        self.assertTrue(script.finished)

    def test_two_texts_in_one_chunk(self):
        script = Script([("until", "one"), ("send", "x"), ("until", "two"), ("send", "y")])
        self.assertEqual(script.feed(b"one two"), b"x\ry\r")
        self.assertTrue(script.finished)

    def test_a_text_counts_once(self):
        script = Script([("until", "tick"), ("until", "tick")])
        script.feed(b"tick")
        self.assertFalse(script.finished)
        script.feed(b" tick")
        self.assertTrue(script.finished)

    def test_terminal_sequences_are_dropped(self):
        self.assertEqual(Cleaner().clean("a\x1b[1;36mb\x1b[0mc\r\n\x1b[6nd"), "abc\nd")


if __name__ == "__main__":
    unittest.main()
