# SPDX-License-Identifier: BSD-2-Clause
"""A running emulator: its process, its directory and the connection to its COM1."""

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from nacre.machine import bochs, machine_clock, progress, qemu, terminal_drain
from nacre.report import Failure, Misuse

CHUNK = 65536
# From the end of COM1 to that of the process.
ENDING_SECONDS = 60
PR_SET_PDEATHSIG = 1
# Machines that are on, so that an interrupted test run can end those of its other threads.
_running = set()
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """Runs in the child: an emulator must not outlive this program, however that ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def close_all():
    """Ends every machine; their sessions see COM1 closed."""
    for machine in list(_running):
        machine.kill()


class Machine:
    """An emulated machine; use it in a `with` statement, which ends it and removes its files.

    With a `limit` it ends after so many seconds of its own clock."""

    def __init__(self, prepare, limit=None, environment=None):
        """`prepare(port, directory)` returns the command of an emulator that calls us back."""
        self.limit = limit
        self._is_overtime = False
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nacre-machine-"))
        self._process = None
        self._connection = None
        try:
            self._start(prepare, environment or {})
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self, prepare, environment):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            command = prepare(listener.getsockname()[1], self.directory)
            if not shutil.which(command[0]):
                raise Misuse(f"{command[0]} is not installed: `./nacre run` installs it")
            with (self.directory / "output").open("wb") as output:
                self._process = subprocess.Popen(
                    command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=output,
                    stderr=subprocess.STDOUT, start_new_session=True,
                    env={**os.environ, **environment}, preexec_fn=die_with_parent)
            _running.add(self)
            self._connection = self._accept(listener)
            self.started(listener)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def started(self, listener):
        """What else a machine needs once its COM1 is there."""

    def _accept(self, listener):
        listener.settimeout(0.2)
        hope = self.progress()
        while self._process.poll() is None and not hope.complaint():
            try:
                return listener.accept()[0]
            except TimeoutError:
                pass
        raise Failure(f"the emulator did not start:\n{self.output()}")

    def processor_seconds(self):
        """What the emulator has used of this host's processors."""
        return progress.processor_seconds(self._process.pid)

    def progress(self, **bounds):
        """A watch over the emulator's processor time."""
        return progress.Progress(self._process.pid, **bounds)

    def _end_in_overtime(self):
        self._is_overtime = True
        self.kill()

    def ending(self):
        """Why the machine stopped: None when it switched itself off, else one line."""
        status = self.wait()
        if self._is_overtime:
            return f"{self.limit} s of its own time are over"
        return self.how_it_ended(status)

    def fileno(self):
        return self._connection.fileno()

    def receive(self):
        """What COM1 said since the last call, waiting for it; empty once the machine is off."""
        try:
            return self._connection.recv(CHUNK)
        except ConnectionError:
            return b""

    def send(self, data):
        try:
            self._connection.sendall(data)
        except ConnectionError:
            pass

    def output(self, limit=2000):
        """The end of what the emulator itself printed."""
        text = (self.directory / "output").read_text(errors="replace")
        return "\n".join("    " + line for line in text[-limit:].strip().splitlines())

    def wait(self):
        """The emulator's exit status, once its COM1 is closed."""
        try:
            return self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def signal(self, number):
        """Sends the emulator's process a signal, as long as there is one."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def kill(self):
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self):
        _running.discard(self)
        self.kill()
        if self._connection:
            self._connection.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class BochsMachine(Machine):
    """`settings` are fields of bochs.Settings but for `serial`."""

    name = "Bochs"

    def __init__(self, **settings):
        self._settings = bochs.Settings(serial="", **settings)
        super().__init__(self._prepare, self._settings.limit, {"TERM": "xterm"})

    def _prepare(self, port, directory):
        self._settings.serial = bochs.serial_socket(port)
        return bochs.prepare(self._settings, directory)

    def started(self, _):
        process, output = self._process.pid, self.directory / "output"
        terminal_drain.TerminalDrain(output, lambda: progress.is_running(process)).start()
        if self.limit:
            machine_clock.BochsClock(process, output, self.limit * self._settings.ips,
                                     self._end_in_overtime).start()

    def ticks(self):
        """How many ticks have passed, or None when it ends before it reports them."""
        return machine_clock.bochs_ticks(self._process.pid, self.directory / "output")

    def how_it_ended(self, status):
        return bochs.ending(self.directory, status)


class QemuMachine(Machine):
    """`settings` are fields of qemu.Settings but for `port`."""

    name = "QEMU"

    def __init__(self, **settings):
        self._settings = qemu.Settings(port=0, **settings)
        self._clock = None
        super().__init__(self._prepare, self._settings.limit)

    def _prepare(self, port, directory):
        self._settings.port = port
        return qemu.prepare(self._settings, directory)

    def started(self, listener):
        if self.limit:
            self._clock = machine_clock.QemuClock(
                self._accept(listener), self.limit, self._end_in_overtime)
            self._clock.start()

    def how_it_ended(self, status):
        return qemu.ending(status)

    def close(self):
        super().close()
        if self._clock:
            self._clock.close()
