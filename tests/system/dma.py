# SPDX-License-Identifier: BSD-2-Clause
"""What a device reaches by DMA, with an IOMMU and without."""

import re

from nacre import build, places
from nacre.machine import emulator, machine
from nacre.pack import product
from nacre.test import results
from nacre.test.system_tests import judge

EDU = ("-device", "edu,addr=6,dma_mask=0xffffffffffffffff")
ATTACK = places.ROOT / "examples" / "dma_attack" / "dma_attack.system"
# Of the machine's time: a copy takes the device a tenth of a second.
ATTACK_SECONDS = 1200
ROW = re.compile(r"attack: (.*): (\d+) attempted, (\d+) arrived")


def attack(name, **settings):
    """A result, and {row: (attempted, arrived)} of the example's table."""
    folder = places.BUILD / "system-tests"
    folder.mkdir(parents=True, exist_ok=True)
    image = product.compose(ATTACK, folder / f"{name}.img")
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), memory=emulator.MEMORY,
        modules=(build.artefact("root.elf"), image), clock="emulated", limit=ATTACK_SECONDS,
        extra=EDU, **settings)
    found, said = judge(name, running, [("until", "attack: memory that was granted: arrives"),
                                        ("until", "attack: not granted: ")])
    return found, {row: (int(attempted), int(arrived))
                   for row, attempted, arrived in ROW.findall(said)}


def check_unconfined():
    """That each row of the attack can arrive at all: without an IOMMU all but those do for which
    there is nothing."""
    name = "dma-attack-unconfined"
    found, table = attack(name)
    empty = {"beyond 4 GiB, read", "beyond 4 GiB, write"}
    lost = [row for row, (_, arrived) in table.items() if arrived == 0 and row not in empty]
    if lost or len(table) < 12:
        found.append(results.failed(f"system/{name}/table", f"nothing arrives: {lost}, {table}"))
    return found


ROWS = [
    ("dma-attack-unconfined", "without an IOMMU a device writes to all memory, and forges "
     "interrupts", check_unconfined),
]
