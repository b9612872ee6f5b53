# SPDX-License-Identifier: BSD-2-Clause
"""A guest kernel of our own asks its virtual machine what a CPU must answer; its name is the
description's."""

import re
import subprocess

from nacre import places
from nacre.machine import emulator, machine
from nacre.test.system_tests import judge, replaced_iso

SOURCE = places.ROOT / "tests" / "system" / "systems" / "guest_probe" / "probe.asm"


def assemble():
    target = places.BUILD / "system-tests" / "probe.bin"
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["nasm", "-f", "bin", "-I", f"{SOURCE.parent}/", "-o", target, SOURCE],
                   check=True)
    return target.read_bytes()


def check(name, start, count, ending):
    """The first questions, as many as `count` says of them all, and what comes behind them."""
    questions = re.findall(r'^\tquestion "(.*)"', SOURCE.read_text(), re.MULTILINE)[:count]
    iso = replaced_iso(name, {places.GUEST_KERNEL.name: assemble()},
                       lambda text: text.replace('name="linux"', 'name="probe"'))
    return judge(name, start(iso), [
        ("until", "[probe] vmm probe: guest starts"),
        *[("until", f"ok: {question}") for question in questions],
        *[("until", text) for text in ending]])[0]


def check_vtx():
    return check("guest-probe", lambda iso: machine.BochsMachine(iso=iso, memory=emulator.MEMORY),
                 None, ["all is asked", "vmm probe: guest stopped"])


def check_svm():
    """All but the last, which asks for an instruction that QEMU 7.2 cannot execute."""
    return check("guest-probe-svm", lambda iso: machine.QemuMachine(
        iso=iso, memory=emulator.MEMORY, cpu="max"), -1, [])


ROWS = [
    ("guest-probe", "a guest's hard questions are answered as a CPU answers them", check_vtx),
    ("guest-probe-svm", "so they are by AMD-V", check_svm),
]
