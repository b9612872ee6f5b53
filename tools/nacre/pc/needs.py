# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel needs and has drivers for, taken from where it is written."""

import dataclasses
import re

from compose.short import disk, network
from nacre import places

FEATURES = places.ROOT / "src" / "arch" / "x86_64" / "cpu" / "features.c"
ACPI = places.ROOT / "src" / "arch" / "x86_64" / "cpu" / "acpi.h"
TABLE = re.compile(r"feature_row (\w+)\[\] = \{(.*?)^\};", re.MULTILINE | re.DOTALL)
ROW = re.compile(r'\{"([^"]+)", (\w+), (\w+), (E[A-D]X), (\d+),')
REGISTERS = ("EAX", "EBX", "ECX", "EDX")
# Linux' names in /proc/cpuinfo where they differ; that of an XSAVE whose leaf Linux does not show.
FLAGS = {"global pages": "pge", "xsave of sse": "xsave", "tsc-deadline": "tsc_deadline_timer",
         "1gib-pages": "pdpe1gb", "invariant-tsc": "nonstop_tsc"}


@dataclasses.dataclass(frozen=True)
class Feature:
    """A bit of CPUID."""

    name: str
    leaf: int
    subleaf: int
    register: int  # of EAX to EDX
    bit: int

    @property
    def flag(self):
        return FLAGS.get(self.name, self.name)


def features():
    """Rows of the kernel's two tables: those it needs, those it uses."""
    tables = {name: [Feature(text, int(leaf, 0), int(subleaf, 0), REGISTERS.index(register),
                             int(bit)) for text, leaf, subleaf, register, bit in ROW.findall(rows)]
              for name, rows in TABLE.findall(FEATURES.read_text())}
    return tables["required"], tables["optional"]


def limit(name):
    """A number of the kernel's, as ACPI_MAX_CORES."""
    return int(re.search(rf"#define {name} (\d+)", ACPI.read_text()).group(1))


def grants():
    """(driver, words by which the PCI component knows its device) of each short element."""
    found = {device.program: device.grant for device in disk.PCI.values()}
    return found | {card.program: card.grant for card in network.CARDS.values()}
