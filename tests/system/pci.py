# SPDX-License-Identifier: BSD-2-Clause
"""The PCI component with devices behind a bridge, by ports and by memory."""

import re
import shutil

from nacre import build, places
from nacre.machine import emulator, machine
from nacre.pack import product
from nacre.test import results
from nacre.test.system_tests import judge

SYSTEM = places.ROOT / "tests" / "system" / "systems" / "pci_rules"
DEVICES = ("-device", "edu,addr=6", "-device", "pci-bridge,id=bridge,chassis_nr=1,addr=5",
           "-device", "e1000,bus=bridge,addr=1,romfile=")
ECAM_MAP = """<map mr="ecam" vaddr="0x4000_0000" perms="rw" cached="false"
             setvar_vaddr="ecam_vaddr" setvar_size="ecam_size"/>"""
ECAM_REGION = '<memory_region name="ecam" size="0x100_0000" phys_addr="0xb000_0000"/>'


def by_memory(name):
    """The PCI system with configuration registers in memory, where the q35 machine has them."""
    folder = places.BUILD / "system-tests" / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SYSTEM, folder)
    description = folder / "pci_rules.system"
    text = description.read_text().replace('<ioport id="0" addr="0xcf8" size="8"/>', ECAM_MAP)
    description.write_text(text.replace("<system>", f"<system>{ECAM_REGION}"))
    return description


ENDS = ("stranger: has nothing", "driver: all right")


def check(name, description, extra=(), cores=2, **settings):
    folder = places.BUILD / "system-tests"
    folder.mkdir(parents=True, exist_ok=True)
    image = product.compose(description, folder / f"{name}.img")
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), memory=emulator.MEMORY,
        modules=(build.artefact("root.elf"), image), clock="emulated",
        cores=cores, extra=(*extra, *DEVICES), **settings)
    found, said = judge(name, running, [
        ("until", "pci: 01:01.0 8086:100e class 020000, for channel 1"),
        *(("until", text) for text in (ENDS if cores == 2 else reversed(ENDS)))])
    if re.search("wrong|was stopped|cannot be", said):
        found.append(results.failed(f"system/{name}/words", "it says that something is wrong"))
    return found


ROWS = [
    ("pci-ports", "a driver has its own devices, by ports and behind a bridge, and no others",
     lambda: check("pci-ports", SYSTEM / "pci_rules.system")),
    ("pci-memory", "the same with configuration registers in memory",
     lambda: check("pci-memory", by_memory("pci-memory"), ("-M", "q35"))),
    ("pci-iommu", "the same, and the device's message, with an IOMMU that remaps interrupts",
     lambda: check("pci-iommu", SYSTEM / "pci_rules.system", cores=1, iommu="intel")),
]
