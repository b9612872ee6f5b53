# SPDX-License-Identifier: BSD-2-Clause
"""Whether the kernel says that it has stopped for good."""

import re
import time

# How its last lines begin (src/arch/x86_64: panic() and boot_main()).
LAST_WORDS = re.compile(rb"^(?:kernel panic: |boot: nothing to run, stopped)", re.MULTILINE)
LONGEST = 64
# The rest of a panic follows at once, on any machine. If another program printed these words, more
# output follows.
SILENCE_SECONDS = 3.0


class Stop:
    """Looks for the last words in a stream, and whether silence follows."""

    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self._tail = b"\n"
        self._said = False
        self._heard = clock()

    def feed(self, data):
        text = self._tail + data.replace(b"\r", b"")
        self._said = self._said or bool(LAST_WORDS.search(text, 1))
        self._tail = text[-LONGEST:]
        self._heard = self._clock()

    def is_final(self):
        return self._said and self._clock() - self._heard > SILENCE_SECONDS
