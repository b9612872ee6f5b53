# SPDX-License-Identifier: BSD-2-Clause
"""A guest kernel of our own asks its virtual machine what a CPU must answer, in Bochs by VT-x and
in QEMU by AMD-V, and makes the same accesses to devices there; its name is the description's."""

import itertools
import re
import subprocess

from nacre import places
from nacre.machine import emulator, machine
from nacre.test import device_trace

SOURCE = places.ROOT / "tests" / "system" / "systems" / "guest_probe" / "probe.asm"
# The probe writes to this port before the question that QEMU 7.2 does not get past.
PORT_BEFORE_LAST = 0xed


def assemble(*options):
    target = places.BUILD / "system-tests" / "probe.bin"
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["nasm", "-f", "bin", *options, "-I", f"{SOURCE.parent}/", "-o", target, SOURCE],
                   check=True)
    return target.read_bytes()


def ask(name, start, kernel, questions):
    """The results, and the accesses before the last question."""
    found, accesses = device_trace.run(name, start, {places.GUEST_KERNEL.name: kernel}, [
        ("until", "[probe] vmm probe: guest starts"),
        *[("until", f"ok: {question}") for question in questions],
        ("until", "all is asked"), ("until", "vmm probe: guest stopped")], "probe")
    return found, accesses and list(itertools.takewhile(
        lambda access: access.address != PORT_BEFORE_LAST, accesses))


def check():
    questions = re.findall(r'^\tquestion "(.*)"', SOURCE.read_text(), re.MULTILINE)
    found, by_vtx = ask("guest-probe-vtx", lambda iso: machine.BochsMachine(
        iso=iso, memory=emulator.MEMORY), assemble(), questions)
    more, by_svm = ask("guest-probe-svm", lambda iso: machine.QemuMachine(
        iso=iso, memory=emulator.MEMORY, cpu="max"), assemble("-DWITHOUT_LAST"), questions[:-1])
    found += more
    if by_vtx and by_svm:
        found.append(device_trace.judged("guest-probe", by_vtx, by_svm))
    return found


ROWS = [("guest-probe", "a guest's hard questions are answered by VT-x and by AMD-V as a CPU "
         "answers them, and its accesses to devices are the same", check)]
