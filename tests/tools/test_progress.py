# SPDX-License-Identifier: BSD-2-Clause
"""How runs end: by the machine's own time, or by an emulator that gets nowhere, on any host."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from nacre.machine import machine_clock, progress, qemu, terminal_drain  # noqa: E402
from nacre.terminal import console, stopped  # noqa: E402


class Clocks:
    """A host on which the process gets `share` of the time."""

    def __init__(self, share):
        self.now, self.share = 0.0, share

    def used(self, _):
        return self.now * self.share

    def progress(self):
        return progress.Progress(1, silent=100, idle=50, used=self.used, clock=lambda: self.now)


class ProgressTest(unittest.TestCase):
    def test_a_slow_host_takes_longer_and_no_more(self):
        for share in (1.0, 0.01):
            clocks = Clocks(share)
            hope = clocks.progress()
            for part in range(1, 100):
                clocks.now = part / share
                self.assertIsNone(hope.complaint())
            clocks.now = 101 / share
            self.assertIn("processor time", hope.complaint())

    def test_an_emulator_that_waits_for_ever_is_given_up(self):
        clocks = Clocks(0)
        hope = clocks.progress()
        clocks.now = 49
        self.assertIsNone(hope.complaint())
        clocks.now = 51
        self.assertIn("stands still", hope.complaint())

    def test_a_word_begins_all_anew(self):
        clocks = Clocks(1.0)
        hope = clocks.progress()
        clocks.now = 99
        hope.saw_output()
        clocks.now = 198
        self.assertIsNone(hope.complaint())

    def test_processor_time_is_that_of_the_process(self):
        before = progress.processor_seconds(os.getpid())
        while time.process_time() < before + 0.1:
            pass
        self.assertGreater(progress.processor_seconds(os.getpid()), before)
        with subprocess.Popen(["sleep", "10"]) as sleeper:
            self.assertLess(progress.processor_seconds(sleeper.pid), 0.1)
            sleeper.kill()
        self.assertEqual(progress.processor_seconds(sleeper.pid), 0)


class SilentMachine:
    """A machine that says nothing, or the same for ever."""

    name = "none"

    def __init__(self, talks):
        self._ours, self._theirs = socket.socketpair()
        self._talks = talks

    def fileno(self):
        if self._talks:
            self._theirs.send(b"word ")
        return self._ours.fileno()

    def receive(self):
        return self._ours.recv(100)

    def progress(self):
        return progress.Progress(os.getpid(), idle=0.2, used=lambda _: 0.0)

    def close(self):
        self._ours.close()
        self._theirs.close()


class StopTest(unittest.TestCase):
    """The kernel's last words, and silence after them."""

    def is_final(self, *pieces, seconds=5.0):
        now = [0.0]
        stop = stopped.Stop(lambda: now[0])
        for piece in pieces:
            stop.feed(piece)
            now[0] += 1.0
        now[0] += seconds - 1.0
        return stop.is_final()

    def test_silence_after_the_last_words(self):
        for words in (b"kernel panic: x", b"boot: nothing to run, stopped"):
            self.assertTrue(self.is_final(b"boot: x\r\n" + words + b"\r\n"))
            self.assertTrue(self.is_final(words))
            for cut in range(1, len(words)):
                self.assertTrue(self.is_final(b"\r\n" + words[:cut], words[cut:]), cut)
            self.assertFalse(self.is_final(b"\r\n" + words, seconds=2.0))

    def test_whoever_else_says_them(self):
        self.assertFalse(self.is_final(b"[linux] kernel panic: x\n"))
        self.assertFalse(self.is_final(b"Kernel panic - not syncing\n"))
        self.assertFalse(self.is_final(b"\nkernel panic: x\n", b"[a] word\n", seconds=2.0))

    def test_a_session_ends(self):
        for steps in ([], [("until", "never")]):
            running = SilentMachine(False)
            self.addCleanup(running.close)
            running._theirs.send(b"\r\nkernel panic: exception\r\n")
            with tempfile.TemporaryFile() as said, \
                    mock.patch.object(stopped, "SILENCE_SECONDS", 0.1), \
                    mock.patch.object(console, "LOOK_SECONDS", 0.05), \
                    mock.patch.object(running, "progress", lambda: progress.Progress(os.getpid())):
                why = console.Session(running, steps, 60, said).run()
            self.assertIn("the kernel has stopped", why)

    def test_the_words_are_the_kernel_s(self):
        sources = "".join(path.read_text() for path in (ROOT / "src" / "arch").rglob("*.c"))
        for words in ("kernel panic: ", "boot: nothing to run, stopped"):
            self.assertIn(words, sources)
            self.assertTrue(stopped.LAST_WORDS.match(words.encode()))


class SessionTest(unittest.TestCase):
    def end_of(self, talks, timeout):
        running = SilentMachine(talks)
        self.addCleanup(running.close)
        with tempfile.TemporaryFile() as output:
            return console.Session(running, [("until", "text")], timeout, output).run()

    def test_a_session_ends_when_the_emulator_stands_still(self):
        self.assertIn("stands still", self.end_of(False, None))

    def test_a_timeout_ends_a_machine_that_talks_all_the_time(self):
        why = self.end_of(True, 0.3)
        self.assertIn("the time is over", why)
        self.assertRegex(why, "the last line is .word ")


class Qemu(threading.Thread):
    """QEMU's end of the monitor: its watchdog stops the machine as soon as that runs."""

    def __init__(self, connection):
        super().__init__(daemon=True)
        self._connection = connection
        self.armed = []

    def say(self, **message):
        self._connection.sendall((json.dumps(message) + "\n").encode())

    def run(self):
        self.say(QMP={})
        for line in self._connection.makefile("r"):
            command = json.loads(line)
            self.say(**{"return": {}})
            if command["execute"] == "human-monitor-command":
                self.armed.append(command["arguments"]["command-line"])
            if command["execute"] == "cont":
                self.say(event="RESUME")
                self.say(event="WATCHDOG")
                self.say(event="STOP")


# Works all the time, and like Bochs' debugger prints its ticks when it is interrupted.
BOCHS = """
import signal
ticks = 0
def tell(*_):
    global ticks
    ticks = min(ticks + 500, 2000)
    print(f"(0) [0x0] Next at t={ticks}", flush=True)
signal.signal(signal.SIGINT, tell)
while True:
    pass
"""


class MachineClockTest(unittest.TestCase):
    def test_qemu_is_stopped_after_its_own_time(self):
        ours, theirs = socket.socketpair()
        monitor = Qemu(theirs)
        monitor.start()
        over = threading.Event()
        clock = machine_clock.QemuClock(ours, 70, over.set)
        clock.start()
        self.assertTrue(over.wait(10))
        # Twice 30 seconds and once 10: the port takes 30 less twice its value.
        self.assertEqual(monitor.armed, ["o/b 0x443 0x0", "o/b 0x443 0x0", "o/b 0x443 0xa"])
        clock.join(10)
        clock.close()
        theirs.close()

    def test_a_machine_that_is_off_is_not_over_time(self):
        ours, theirs = socket.socketpair()
        over = threading.Event()
        clock = machine_clock.QemuClock(ours, 70, over.set)
        clock.start()
        theirs.close()
        clock.join(10)
        self.assertFalse(over.is_set())
        clock.close()

    def test_qemu_has_a_watchdog_where_there_is_a_limit(self):
        self.assertIn("ib700", qemu.prepare(qemu.Settings(port=1, iso="a"), "/tmp"))
        self.assertNotIn("ib700", qemu.prepare(qemu.Settings(port=1, iso="a", limit=None), "/tmp"))

    def test_bochs_is_ended_when_its_ticks_have_passed(self):
        for ticks, is_over in ((1000, True), (9000, False)):
            with tempfile.TemporaryDirectory() as directory:
                output = pathlib.Path(directory) / "output"
                with output.open("wb") as file, subprocess.Popen(
                        [sys.executable, "-c", BOCHS], stdout=file) as process:
                    over = threading.Event()
                    with mock.patch.object(machine_clock, "LOOK_SECONDS", 0.1):
                        machine_clock.BochsClock(process.pid, output, ticks, over.set).start()
                        self.assertEqual(over.wait(20 if is_over else 3), is_over)
                        process.kill()
                        process.wait()

    def test_only_the_clock_of_the_wall_has_x2apic(self):
        for clock, has in (("wall", True), ("emulated", False), ("instructions", False)):
            words = qemu.prepare(qemu.Settings(port=1, iso="a", clock=clock), "/tmp")
            self.assertEqual("-x2apic" not in words[words.index("-cpu") + 1], has)


class TerminalDrainTest(unittest.TestCase):
    def test_a_screen_never_fills_up(self):
        ours, theirs = os.openpty()
        with tempfile.TemporaryDirectory() as directory:
            output = pathlib.Path(directory) / "output"
            output.write_bytes(b"")
            drain = terminal_drain.TerminalDrain(output, lambda: True)
            drain.start()
            output.write_text(f'\nBochs connected to screen "{os.ttyname(theirs)}"\n')
            os.set_blocking(ours, False)
            # Until then an echo would be keys for Bochs.
            end = time.monotonic() + 20
            while termios.tcgetattr(theirs)[3] & termios.ECHO and time.monotonic() < end:
                time.sleep(0.01)
            left = 64 * 1024
            while left > 0 and time.monotonic() < end:
                try:
                    left -= os.write(ours, b"\x1b[12;34H"[:left])
                except BlockingIOError:
                    time.sleep(0.01)
            self.assertEqual(left, 0, "the screen is not read")
            with self.assertRaises(BlockingIOError):
                os.read(ours, 1)
            os.close(theirs)
            os.close(ours)
            drain.join(10)
            self.assertFalse(drain.is_alive())


if __name__ == "__main__":
    unittest.main()
