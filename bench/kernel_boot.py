# SPDX-License-Identifier: BSD-2-Clause
"""How many instructions does the kernel need from its first line of C to the initial task?

QEMU counts instructions with -icount shift=0, where the time stamp counter is that count. The
machine has 2 GiB of memory; the kernel prints the count itself, as the last line of its boot log.
"""

import re

from nacre import build, packages, places
from nacre.machine import machine
from nacre.report import Failure, step
from nacre.terminal import console

MARK = re.compile(r"boot: done in (\d+) TSC ticks")
EMULATORS = ("qemu",)
LIMIT = 30_000_000
MEMORY = 2048


def measure(_):
    packages.ensure(packages.BUILD, packages.EMULATE)
    build.compile_all()
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / "bench-kernel-boot.log"
    step("booting the kernel alone in QEMU, counting instructions")
    with log.open("wb") as output, machine.QemuMachine(
            kernel=build.artefact("kernel-release.elf32"),
            modules=(build.artefact("example-root-task.elf"),), memory=MEMORY,
            clock="instructions") as running:
        why = console.Session(running, [("until", "TSC ticks")], output=output).run()
    found = MARK.search(log.read_text(errors="replace"))
    if not found:
        raise Failure(f"kernel-boot: {why or 'no count in the boot log'} ({places.shown(log)})")
    count = int(found.group(1))
    return ([{"unit": "instructions", "value": count, "limit": LIMIT,
              "memory_mib": MEMORY, "machine": "qemu-icount"}],
            f"kernel boot with 2 GiB: {count:,} instructions (limit {LIMIT:,})")
