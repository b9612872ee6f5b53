# SPDX-License-Identifier: BSD-2-Clause
"""Reads what Bochs' screen writes to its terminal.

The display `term` opens a pseudo-terminal and waits for a person to look at it; once its buffer of
4 KiB is full, the whole machine would wait.
"""

import os
import re
import termios
import threading
import time
import tty

SCREEN = re.compile(rb'connected to screen "([^"]+)"')


class TerminalDrain(threading.Thread):
    """`output` is the file in which Bochs names its terminal; `is_on` says whether Bochs runs."""

    def __init__(self, output, is_on):
        super().__init__(daemon=True)
        self._output, self._is_on = output, is_on

    def run(self):
        try:
            terminal = self._open()
            while terminal is not None and os.read(terminal, 65536):
                pass
        except (OSError, termios.error):
            # The other end is closed: the machine is off.
            pass

    def _open(self):
        """The terminal, as soon as Bochs has named it; None when it never does."""
        while self._is_on():
            named = SCREEN.search(self._output.read_bytes())
            if named:
                terminal = os.open(named.group(1), os.O_RDWR | os.O_NOCTTY)
                # An echo would come back to Bochs as keys.
                tty.setraw(terminal)
                return terminal
            time.sleep(0.1)
        return None
