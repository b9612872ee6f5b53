# SPDX-License-Identifier: BSD-2-Clause
"""What Linux finds in its virtual machine by AMD-V, in QEMU: a clock that goes as the machine's
does, and no reason for a warning that it does not print on the bare machine."""

import re

from nacre import places
from nacre.bench import guest_clock
from nacre.machine import emulator, machine
from nacre.test import results
from nacre.test.system_tests import judge

SECONDS = 60
CPU = "max"
SHOW_WARNINGS = [("send", "dmesg -r | grep '^<[0-4]>'; echo these-$((1+1)) are of "
                  "$(dmesg -r | grep -c '^<[0-7]>')"),
                 ("until", "these-2 are of"), ("until", guest_clock.PROMPT)]
WARNING = re.compile(r"<[0-4]>\[[ \d.]+\] (.*)")
MESSAGES = re.compile(r"these-2 are of (\d+)$", re.MULTILINE)
FEWEST_MESSAGES = 100


def warnings(text):
    """Each warning once, without numbers, which are of time and place."""
    return {re.sub(r"\b(0x)?[0-9a-f]*\d[0-9a-f]*\b", "#", line.strip()): line.strip()
            for line in WARNING.findall(text)}


def new_warnings(guest, bare):
    """Those of the guest that the bare machine does not print."""
    known = warnings(bare).keys()
    for text in (guest, bare):
        count = MESSAGES.search(text)
        if not count or int(count.group(1)) < FEWEST_MESSAGES:
            return [f"{count and count.group(1)} messages of the kernel were read"]
    return [line for key, line in warnings(guest).items() if key not in known]


def bare_machine():
    return machine.QemuMachine(
        kernel=places.GUEST_KERNEL, modules=(places.GUEST_INITRAMFS,), cpu=CPU, memory=256,
        arguments=places.GUEST_COMMAND_LINE.read_text().strip(), clock="emulated")


def judged(name, problems):
    full = f"system/guest-linux/{name}"
    return results.failed(full, "; ".join(problems)) if problems else results.passed(full)


def check():
    iso = guest_clock.make_iso("guest-linux")
    guest = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, cpu=CPU, clock="emulated")
    found, text = judge("guest-linux", guest, [
        ("until", guest_clock.PROMPT), *SHOW_WARNINGS, *guest_clock.script(SECONDS)])
    more, bare = judge("guest-linux-bare", bare_machine(), [
        ("until", guest_clock.PROMPT), *SHOW_WARNINGS])
    found += more
    if all(result.outcome == results.PASSED for result in found):
        found.append(judged("warnings", new_warnings(text, bare)))
        found.append(judged("clock", list(guest_clock.problems(text))))
    return found


ROWS = [("guest-linux", "by AMD-V, Linux' clock is the TSC, keeps the machine's time within 50 "
         "ppm, and its kernel prints no warning that is not printed on the bare machine", check)]
