# SPDX-License-Identifier: BSD-2-Clause
"""Whether an emulator still gets on with its work, by its own processor time: a host that is slow,
or busy with other things, ends no run."""

import os
import pathlib
import time

# No processor time at all for so long: it waits for something that does not come.
IDLE_SECONDS = 120
# Processor time without a byte from the machine.
SILENT_SECONDS = 600
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def processor_seconds(process):
    """User and system time of a process with all its threads; 0 once it is gone."""
    try:
        text = pathlib.Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0.0
    # The name before the last parenthesis may hold blanks; user and system time are fields 14, 15.
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def is_running(process):
    """Whether the process is there and has not ended."""
    try:
        text = pathlib.Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


class Progress:
    """Watches a process: how long it has been busy, or idle, since its last output."""

    def __init__(self, process, silent=SILENT_SECONDS, idle=IDLE_SECONDS,
                 used=processor_seconds, clock=time.monotonic):
        self._process, self._silent, self._idle = process, silent, idle
        self._used, self._clock = used, clock
        self.saw_output()

    def saw_output(self):
        """The counts begin anew."""
        self._start = self._last = self._used(self._process)
        self._moved = self._clock()

    def complaint(self):
        """None while there is hope, else why there is none."""
        now = self._used(self._process)
        if now != self._last:
            self._last, self._moved = now, self._clock()
        if now - self._start > self._silent:
            return f"nothing was said in {self._silent} s of the emulator's processor time"
        if self._clock() - self._moved > self._idle:
            return f"the emulator stands still: no processor time in {self._idle} s"
        return None
