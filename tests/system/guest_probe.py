# SPDX-License-Identifier: BSD-2-Clause
"""A guest kernel of our own asks its virtual machine what a CPU must answer, in Bochs; its name is
the description's."""

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


def check():
    questions = re.findall(r'^\tquestion "(.*)"', SOURCE.read_text(), re.MULTILINE)
    iso = replaced_iso("guest-probe", {places.GUEST_KERNEL.name: assemble()},
                       lambda text: text.replace('name="linux"', 'name="probe"'))
    running = machine.BochsMachine(iso=iso, memory=emulator.MEMORY)
    return judge("guest-probe", running, [
        ("until", "[probe] vmm probe: guest starts"),
        *[("until", f"ok: {question}") for question in questions],
        ("until", "all is asked"), ("until", "vmm probe: guest stopped")])[0]


ROWS = [("guest-probe", "a guest's hard questions are answered as a CPU answers them", check)]
