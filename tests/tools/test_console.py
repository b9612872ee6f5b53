# SPDX-License-Identifier: BSD-2-Clause
"""The keyboard's escape key and the coloured labels."""

import fcntl
import io
import os
import pathlib
import pty
import struct
import sys
import termios
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre.machine import progress  # noqa: E402
from nacre.terminal import console, keys  # noqa: E402
from nacre.terminal.paint import Painter  # noqa: E402


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
        self.assertEqual(keys.Keys().feed(b"\x01cb"), [
            (keys.SHOW_ALL, b"\x01c"), (keys.TYPE, b"b")])

    def test_commands_to_guests_go_to_the_machine(self):
        for key in b"pukron":
            typed = bytes([keys.ESCAPE, key])
            self.assertEqual(keys.Keys().feed(typed), [(keys.TYPE, typed)])
        for key in b"g18":
            typed = bytes([keys.ESCAPE, key])
            self.assertEqual(keys.Keys().feed(typed), [(keys.SHOW_ALL, typed)])

    def test_the_driver_s_commands_go_to_the_machine(self):
        self.assertEqual(keys.Keys().feed(b"\x01b\x01r\x01v"), [
            (keys.TYPE, b"\x01b"), (keys.TYPE, b"\x01r"), (keys.SHOW_VIEW, b"\x01v")])

    def test_the_help_names_each_key(self):
        for key in keys.MEANINGS:
            name = "Ctrl-A" if key == keys.ESCAPE else chr(key)
            self.assertTrue(f"Ctrl-A {name}" in keys.HELP or name in "?x2345678"
                            or f"; {name} " in keys.HELP, name)

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


class Machine:
    """Stands in for an emulator: what is sent to it is in `typed`."""

    def __init__(self):
        self.typed = b""
        self._reader, self.writer = os.pipe()

    def fileno(self):
        return self._reader

    def receive(self):
        return os.read(self._reader, 4096)

    def send(self, data):
        self.typed += data

    def progress(self):
        return progress.Progress(os.getpid())


class TerminalTest(unittest.TestCase):
    """A person at a terminal of 31 lines and 107 columns."""

    def converse(self, keys_typed, said=b""):
        """What the machine was sent, and what the terminal was."""
        person, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 31, 107, 0, 0))
        machine = Machine()
        session = console.Session(machine, [], 5)
        screen = io.BytesIO()
        with mock.patch.object(console, "INPUT", terminal):
            session._interactive = True
            session._output = screen
            session._painter = Painter()
            for typed in keys_typed:
                os.write(person, typed)
                # The session takes keys before what is said next.
                with console.raw_keyboard():
                    session._type_keys()
                if said:
                    os.write(machine.writer, said)
                    session._take_output()
        os.close(person)
        os.close(terminal)
        return machine.typed, screen.getvalue()

    def test_the_size_is_that_of_the_terminal(self):
        self.assertEqual(self.converse([b"\x01s"])[0], b"stty rows 31 cols 107\r")

    def test_answers_of_the_terminal_reach_the_machine(self):
        """What `resize` asks for: where the cursor is."""
        self.assertEqual(self.converse([b"\x1b[31;107R"])[0], b"\x1b[31;107R")

    def test_the_raw_view_leaves_newlines_alone(self):
        person, terminal = pty.openpty()
        session = console.Session(Machine(), [], 5)
        with mock.patch.object(console, "INPUT", terminal), console.raw_keyboard():
            for typed, translated in ((b"a", True), (b"\x01v", False), (b"b", False),
                                      (b"\x01v", True), (b"\x01v", False), (b"\x01c", True)):
                os.write(person, typed)
                session._type_keys()
                flags = termios.tcgetattr(terminal)[1]
                self.assertEqual(bool(flags & termios.OPOST), translated, typed)
        os.close(person)
        os.close(terminal)

    def test_the_raw_view_is_not_painted(self):
        said = b"[x] y\n"
        screen = self.converse([b"a", b"\x01v", b"\x01v", b"\x01v", b"\x01c"], said)[1]
        painted = Painter().paint(said)
        self.assertEqual(screen, painted + said + painted + said + painted)


if __name__ == "__main__":
    unittest.main()
