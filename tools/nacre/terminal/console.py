# SPDX-License-Identifier: BSD-2-Clause
"""Joins a machine's COM1 with this terminal, or streams it where there is none."""

import contextlib
import os
import select
import sys
import termios
import time
import tty

from nacre.report import step
from nacre.terminal import keys, paint, stopped, transcript

INPUT = 0
LOOK_SECONDS = 1.0
# Of what was said last, in the line that says why a script did not end.
TAIL_BYTES = 200


def size_command():
    """The command that sets the size of this terminal in a shell on a serial line."""
    size = os.get_terminal_size(INPUT)
    return f"stty rows {size.lines} cols {size.columns}\r".encode()


def translate_newlines(wanted):
    """Whether a newline alone goes to the start of the line. To full-screen programs it does not;
    what this program prints needs it."""
    attributes = termios.tcgetattr(INPUT)
    attributes[1] &= ~termios.OPOST
    attributes[1] |= (termios.OPOST | termios.ONLCR) if wanted else 0
    termios.tcsetattr(INPUT, termios.TCSADRAIN, attributes)


@contextlib.contextmanager
def raw_keyboard():
    """Keys come one by one and unchanged, Ctrl-C too; the terminal is restored whatever happens."""
    before = termios.tcgetattr(INPUT)
    try:
        tty.setraw(INPUT, termios.TCSADRAIN)
        translate_newlines(True)
        yield
    finally:
        termios.tcsetattr(INPUT, termios.TCSADRAIN, before)


class Session:
    """One run: streams output, types the script's or the person's keys, knows when it is over.

    A run ends when the kernel has stopped or `timeout` seconds are over by the clock on the wall; a
    script's also with its text, with the machine's own time, and when the emulator gets nowhere."""

    def __init__(self, machine, steps, timeout=None, output=None):
        self._machine = machine
        self._script = transcript.Script(steps)
        self._scripted = bool(steps)
        self._progress = machine.progress()
        self._deadline = time.monotonic() + timeout if timeout else None
        self._output = output or sys.stdout.buffer
        self._interactive = output is None and not self._scripted and os.isatty(INPUT)
        coloured = output is None and sys.stdout.isatty()
        self._painter = paint.Painter() if coloured else None
        self._keys = keys.Keys()
        self._tail = b""
        self._stop = stopped.Stop()
        self._raw = False  # the driver shows one console alone, without labels

    def run(self):
        """None when the run ended well, else one line saying why not."""
        with raw_keyboard() if self._interactive else contextlib.nullcontext():
            return self._loop()

    def _loop(self):
        sources = [self._machine] + ([INPUT] if self._interactive else [])
        while True:
            if self._scripted and self._script.finished:
                return None
            ready = select.select(sources, [], [], min(self._time_left(), LOOK_SECONDS))[0]
            why = self._hopeless(bool(ready))
            if why:
                return self._unfinished(why)
            if INPUT in ready and not self._type_keys():
                return None
            if self._machine in ready and not self._take_output():
                return self._stopped()

    def linger(self, seconds):
        """Goes on showing what the machine says, so that what follows the awaited text is seen."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._machine], [], [], left)[0] or not self._take_output():
                break

    def _time_left(self):
        if self._deadline is None:
            return LOOK_SECONDS
        return max(0, self._deadline - time.monotonic())

    def _hopeless(self, has_output):
        """Why there is nothing more to wait for, or None."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return "the time is over"
        if self._stop.is_final():
            return "the kernel has stopped"
        return self._progress.complaint() if self._scripted and not has_output else None

    def _unfinished(self, why):
        if not self._scripted:
            return why
        said = self._tail.decode(errors="replace").strip().rpartition("\n")[2]
        return f"{why}, and {self._script.awaited!r} was not seen; the last line is {said!r}"

    def _stopped(self):
        reason = self._machine.ending()
        if reason is None and not self._scripted:
            step("the machine is off")
            return None
        return self._unfinished(f"the machine stopped ({reason or 'switched off'})")

    def _take_output(self):
        data = self._machine.receive()
        if not data:
            return False
        painter = None if self._raw else self._painter
        self._output.write(painter.paint(data) if painter else data)
        self._output.flush()
        self._tail = (self._tail + data)[-TAIL_BYTES:]
        self._progress.saw_output()
        self._stop.feed(data)
        typed = self._script.feed(data)
        if typed:
            self._machine.send(typed)
        return True

    def _type_keys(self):
        for action, data in self._keys.feed(os.read(INPUT, 1024)):
            if action == keys.QUIT:
                step("quit")
                return False
            if action == keys.SHOW_HELP:
                text = "\n" + keys.HELP
                print(text.replace("\n", "\r\n"), file=sys.stderr, end="", flush=True)
            elif action == keys.TYPE_SIZE:
                self._machine.send(size_command())
            else:
                if action in (keys.SHOW_VIEW, keys.SHOW_ALL):
                    self._raw = action == keys.SHOW_VIEW and not self._raw
                    translate_newlines(not self._raw)
                self._machine.send(data)
        return True
