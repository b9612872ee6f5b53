# SPDX-License-Identifier: BSD-2-Clause
"""Linux' clock in its virtual machine by AMD-V, in QEMU: it goes as the machine's does."""

from nacre.bench import guest_clock
from nacre.machine import emulator, machine
from nacre.test import results
from nacre.test.system_tests import judge

SECONDS = 60


def check():
    iso = guest_clock.make_iso("guest-linux")
    guest = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, cpu="max", clock="emulated")
    found, text = judge("guest-linux", guest, [
        ("until", guest_clock.PROMPT), *guest_clock.script(SECONDS)])
    if found[0].outcome == results.PASSED:
        problems = "; ".join(guest_clock.problems(text))
        full = "system/guest-linux/clock"
        found.append(results.failed(full, problems) if problems else results.passed(full))
    return found


ROWS = [("guest-linux", "by AMD-V, Linux' clock is the TSC, and keeps the machine's time within 50 "
         "ppm", check)]
