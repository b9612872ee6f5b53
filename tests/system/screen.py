# SPDX-License-Identifier: BSD-2-Clause
"""Bochs with a screen that changes all the time and is never read."""

from nacre import places
from nacre.machine import emulator, machine
from nacre.pack import product
from nacre.test.system_tests import judge

DESCRIPTION = places.ROOT / "tests" / "system" / "systems" / "screen" / "screen.system"


def check():
    iso = product.make_iso(DESCRIPTION, places.BUILD / "system-tests" / "screen.iso")
    running = machine.BochsMachine(iso=iso, memory=emulator.MEMORY)
    return judge("screen", running, [("until", "mover: starts"), ("until", "mover: done")])[0]


ROWS = [("screen", "a cursor that moves 2000 times does not stop Bochs", check)]
