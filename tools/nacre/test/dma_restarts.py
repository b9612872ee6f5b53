# SPDX-License-Identifier: BSD-2-Clause
"""Restarts of a guest whose own NVMe disk is busy: Linux reads one part of the disk and writes
another when it is reset, at a random moment. Each time the disk must work again, by interrupts,
with the content that it had; no word of a component's memory may change, and the IOMMU must have
nothing to refuse.

`./nacre test dma-restarts`: many times.
"""

import hashlib
import random
import re

from nacre import build, places
from nacre.machine import emulator, machine
from nacre.machine.disks import Disks
from nacre.pack import product
from nacre.test import machine_tests, results, system_tests

NAME = "dma-restarts"
ROUNDS = 200
SYSTEM = places.ROOT / "tests" / "system" / "systems" / "dma_restarts"
PROMPT = "nacre-guest# "
PART = 1 << 20  # that is only read
BYTES = 32 << 20
LONGEST_MS = 1500
# Of the machine's own time, for a round.
SECONDS = 300
# What must not be said.
WRONG = re.compile(r"witness: word \d+ has changed.*|iommu: device .* may not .*"
                   r"|irq: lost interrupt, vector (?:8[0-9]).*|guest stopped.*|panic.*")


def content():
    return random.Random(NAME).randbytes(PART)


def rounds(count, seed):
    """Steps of a script: the disk is looked at, and then is busy when the guest resets."""
    chance, right = random.Random(seed), hashlib.sha256(content()).hexdigest()
    yield "until", PROMPT
    for number in range(count):
        yield "send", (f"dd if=/dev/nvme0n1 bs=64k count={PART >> 16} 2>/dev/null | sha256sum; "
                       f"grep -c nvme0q1 /proc/interrupts; echo round-$(({number}+1000))")
        yield "until", right
        yield "until", f"round-{number + 1000}"
        yield "until", PROMPT
        wait = chance.randint(0, LONGEST_MS)
        yield "send", (f"dd if=/dev/nvme0n1 of=/dev/null bs=1M & dd if=/dev/zero of=/dev/nvme0n1 "
                       f"bs=256k seek={PART >> 18} & usleep {wait * 1000}; reboot -f")
        yield "until", "guest resets"
        yield "until", PROMPT
    yield "until", "witness: "


def run(count=ROUNDS):
    folder = places.BUILD / "system-tests" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    disk = folder / "busy.disk"
    disk.write_bytes(content().ljust(BYTES, b"\0"))
    for name in ("witness.c", "dma_restarts.system"):
        (folder / name).write_bytes((SYSTEM / name).read_bytes())
    (folder / "vmlinuz").write_bytes(system_tests.inflated_kernel())
    image = product.compose(folder / "dma_restarts.system", folder / f"{NAME}.img")
    seed = random.randrange(1 << 32)
    with machine.QemuMachine(
            kernel=build.artefact("kernel-debug.elf32"),
            modules=(build.artefact("root.elf"), image), memory=emulator.MEMORY, cpu="max",
            limit=SECONDS * count, disks=Disks(nvme=disk), iommu="intel") as running:
        why, text, log = machine_tests.watch(running, NAME, list(rounds(count, seed)))
    wrong = WRONG.search(text)
    if why or wrong:
        return [results.failed(NAME, f"seed {seed}: {why or wrong.group(0)}", log)]
    if not disk.read_bytes().startswith(content()):
        return [results.failed(NAME, f"seed {seed}: what was only read has changed")]
    return [results.passed(NAME, f"seed {seed}: {count} restarts, the disk busy in each")]
