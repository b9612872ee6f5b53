# SPDX-License-Identifier: BSD-2-Clause
"""Ends an emulated machine after a time of its own clock, however fast this host is.

QEMU: a watchdog that the machine's programs do not use stops the machine after at most 30 seconds
of virtual time, and is started anew until the time is over. Bochs: its debugger is interrupted now
and then, says how many ticks have passed, and its script continues it. (A breakpoint in
time would do nothing to a processor that is halted.)
"""

import json
import os
import re
import signal
import threading
import time

from nacre.machine import progress

# The iBASE 700: a write to its port starts it, the value choosing the time.
DEVICE = ["-device", "ib700", "-action", "watchdog=pause", "-S"]
PORT = 0x443
LONGEST = 30
# How long a machine runs by its own clock unless more is asked for.
LIMIT = 300
STEP = 2


def options(port):
    """Of a machine that calls back at this port with its QMP monitor, and waits for it. QEMU opens
    its connections in the order of the command line."""
    return ["-chardev", f"socket,id=clock,host=127.0.0.1,port={port}",
            "-mon", "chardev=clock,mode=control", *DEVICE]


class QemuClock(threading.Thread):
    """Speaks QMP with the machine: starts it, and calls `over` once its seconds have passed."""

    def __init__(self, connection, seconds, over):
        super().__init__(daemon=True)
        self._connection = connection
        self._messages = connection.makefile("r")
        self._left = seconds
        self._over = over

    def run(self):
        try:
            self._ask("qmp_capabilities")
            while self._left > 0:
                self._run_on()
                self._wait_for_stop()
            self._over()
        except (OSError, ValueError):
            # The machine is off, or its connection was closed.
            pass

    def close(self):
        self._connection.close()

    def _ask(self, command, **arguments):
        message = json.dumps({"execute": command, "arguments": arguments}) + "\n"
        self._connection.sendall(message.encode())

    def _run_on(self):
        seconds = min(self._left, LONGEST)
        value = (LONGEST - seconds) // STEP
        self._left -= LONGEST - value * STEP
        self._ask("human-monitor-command", **{"command-line": f"o/b {PORT:#x} {value:#x}"})
        self._ask("cont")

    def _wait_for_stop(self):
        while json.loads(self._messages.readline()).get("event") != "STOP":
            pass


# The debugger's line wherever it stops.
TICKS = re.compile(rb"Next at t=(\d+)")
# Of Bochs' processor time, between two looks at its clock: few runs need one.
LOOK_SECONDS = 120
# Between two looks for an answer.
PAUSE = 0.2


def bochs_ticks(process, output):
    """Interrupts Bochs: the ticks that it then prints, or None when it ends first."""
    before = len(TICKS.findall(output.read_bytes()))
    os.kill(process, signal.SIGINT)
    hope = progress.Progress(process)
    while progress.is_running(process) and not hope.complaint():
        said = TICKS.findall(output.read_bytes())
        if len(said) > before:
            return int(said[-1])
        time.sleep(PAUSE)
    return None


class BochsClock(threading.Thread):
    """Calls `over` once the ticks have passed; `output` is the file that Bochs' debugger writes."""

    def __init__(self, process, output, ticks, over):
        super().__init__(daemon=True)
        self._process, self._output = process, output
        self._ticks, self._over = ticks, over

    def run(self):
        looked = 0.0
        try:
            while progress.is_running(self._process):
                used = progress.processor_seconds(self._process)
                if used - looked >= LOOK_SECONDS:
                    looked = used
                    passed = bochs_ticks(self._process, self._output)
                    if passed is not None and passed >= self._ticks:
                        self._over()
                        return
                time.sleep(PAUSE)
        except OSError:
            # The machine is off, and its files are gone.
            pass
