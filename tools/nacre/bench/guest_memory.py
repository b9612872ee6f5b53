# SPDX-License-Identifier: BSD-2-Clause
"""What memory a guest takes beside its RAM, from the composer's reports of a system with one guest
and of one with two: their difference, with the page tables that the report leaves out."""

import dataclasses
import re

from nacre import build
from nacre.bench import guest_share
from nacre.pack import product, programs, system_image

GUEST = ('<virtual_machine name="{name}" memory="128M" kernel="vmlinuz" initrd="initramfs.cpio">'
         '<disk size="16M"/><network switch="lan"/></virtual_machine>')
# Those of the description are no cost of the guest's.
RAM, DISK = 128 << 20, 16 << 20
UNITS = {"": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
TABLE = 4096
PROGRAM = 0x200000, 0x240000
# Addresses that one table of each level covers, the page table first.
COVERED = (1 << 21, 1 << 30, 1 << 39)
OBJECT = re.compile(r"^  \w+ +\S.*\((\d+) (\w+)\)$", re.MULTILINE)
FRAMES = re.compile(r"^  frame +\S.*?[:,] (\d+) of (\d+) (\w+)(?: anywhere.*)?$", re.MULTILINE)
# Of a map, its region follows the rights.
RANGE = re.compile(r"0x([0-9a-f]+)\.\.0x([0-9a-f]+)(?: \w+ +(\w+))?")


@dataclasses.dataclass
class Space:
    """The tables of an address space, by level and number."""

    tables: set = dataclasses.field(default_factory=set)

    def add(self, first, end, large):
        for level, size in enumerate(COVERED):
            if level == 0 and large:
                continue
            self.tables |= {(level, number) for number in range(first // size, -(-end // size))}


def table_bytes(report, large):
    """Of the page tables of all address spaces; `large` names regions of large pages."""
    spaces, current = [], None
    part = report.partition("Protection domains")[2].partition("\nChannels\n")[0]
    for line in part.splitlines():
        is_domain = re.match(r"\w", line) and not line.startswith("=")
        if is_domain or line.startswith("  virtual machine "):
            current = Space()
            spaces.append(current)
            if is_domain:
                current.add(*PROGRAM, False)
        elif current and (found := RANGE.search(line)):
            current.add(int(found[1], 16), int(found[2], 16), found[3] in large)
    return sum(len(space.tables) for space in spaces) * TABLE


def object_bytes(report):
    """Of all objects and frames."""
    part = report.partition("\nObjects\n")[2]
    total = sum(int(count) * UNITS[unit] for count, unit in OBJECT.findall(part))
    return total + sum(int(count) * int(size) * UNITS[unit]
                       for count, size, unit in FRAMES.findall(part))


def large_regions(report):
    part = report.partition("\nObjects\n")[2]
    return set(re.findall(r"^  frame +(\S+): \d+ of 2 MiB", part, re.MULTILINE))


def memory(report):
    return object_bytes(report) + table_bytes(report, large_regions(report))


def report_of(names):
    folder = guest_share.FOLDER / "memory"
    folder.mkdir(parents=True, exist_ok=True)
    description = folder / f"guests-{len(names)}.system"
    description.write_text('<system><switch name="lan"/>'
                           + "".join(GUEST.format(name=name) for name in names) + "</system>")
    image = description.with_suffix(".img")
    system_image.compose(description, image, (programs.ensure(description),), "release")
    return image.with_suffix(".report").read_text()


def beside_ram():
    """Bytes of a second guest that boots the same files."""
    build.compile_all()
    product.guest_files()
    one, two = report_of(["one"]), report_of(["one", "two"])
    return memory(two) - memory(one) - RAM - DISK
