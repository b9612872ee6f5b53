# SPDX-License-Identifier: BSD-2-Clause
"""<disk>: a range of a disk's sectors or a partition, and what serves it. Without driver= it is a
disk in memory."""
import re
from dataclasses import dataclass, field
from typing import Optional

from compose.fields import Fields
from compose.layout import LIMITS
from compose.model import PAGE
from compose.short.partition import Partitions
from compose.short.pci import open_device
from compose.short.plan import FIRST_MEMORY, numbered
from compose.short.server import PRIORITY, Server

MOST = 4
LARGEST = 1 << 38
PCI_CHANNEL = 3
_RAM = ("image", "size")
_OF_EACH = ("driver", "partition", "first", "count", "read_only")
_PARTITION = re.compile(r"([1-9][0-9]{0,2}|label=[^\s#]+|type=[0-9a-fA-F-]+)\Z")


@dataclass(frozen=True)
class Share:
    """What a client has of a disk."""

    first: int
    count: Optional[int]
    read_only: bool
    partition: Optional[str]

    def variables(self):
        """(name, value) of what is not the usual."""
        found = {"first": self.first or None, "count": self.count,
                 "read_only": 1 if self.read_only else None}
        return [(name, value) for name, value in found.items() if value is not None]


class Ata(Server):
    def make_domain(self, origin):
        self.domain = self.plan.driver(origin, "ata", PRIORITY)
        self.domain.add(origin, "irq", id="1", pin="14", trigger="edge", polarity="high",
                        vector="14")
        self.domain.add(origin, "ioport", id="0", addr="0x1f0", size="8")
        self.domain.add(origin, "ioport", id="1", addr="0x3f6", size="1")
        self.add_time_outs(origin)
        return self.domain


@dataclass(frozen=True)
class Device:
    """A disk controller on PCI: its driver, the grant's words, the BAR with its registers."""

    program: str
    grant: str
    bar: str
    size: int
    pin: int
    setvars: dict = field(default_factory=dict, compare=False)  # of the registers, beyond usual
    dma_size: int = PAGE


class PciDisk(Server):
    by_dma = True

    def __init__(self, plan, origin, device):
        self.device = device
        super().__init__(plan, origin)

    def make_domain(self, origin):
        device = self.device
        self.domain = self.plan.driver(origin, device.program, PRIORITY)
        dma = self.domain.region(origin, "dma", size=f"0x{device.dma_size:x}",
                                 phys_addr=self.plan.physical(FIRST_MEMORY, device.dma_size))
        self.domain.map(origin, dma, setvar_vaddr="dma_vaddr", setvar_size="dma_size")
        self.domain.add(origin, "setvar", symbol="dma_paddr", region_paddr=dma)
        self.reach(origin, dma)
        self.domain.add(origin, "irq", id="1", pin=str(device.pin), trigger="level",
                        polarity="high", vector=str(device.pin))
        open_device(self.domain, origin, PCI_CHANNEL, device.grant, device.bar, device.size,
                    **device.setvars)
        self.add_time_outs(origin)
        return self.domain

    def reach(self, origin, region):
        self.domain.dma(origin, region)


class RamDisk(Server):
    """Each is a driver of its own, on the core of its client."""

    DISK = 0x1_0000_0000
    reaches_guests = True

    def __init__(self, plan, origin, owner, content):
        self.owner = owner
        self.content = content
        super().__init__(plan, origin)

    def make_domain(self, origin):
        name = self.plan.names.imply_of(
            "protection_domain", numbered("ramdisk", self.owner.number("ramdisk")), self.owner,
            origin)
        domain = self.plan.domain(origin, name, "ramdisk.elf", PRIORITY,
                                  **self.owner.core())
        image = domain.region(origin, "image", **self.content)
        domain.map(origin, image, vaddr=self.DISK, setvar_vaddr="disk_vaddr",
                   setvar_size="disk_size")
        return domain


PCI = {
    "ahci": Device("ahci", "class=0106", "bar5", 0x1000, 10),
    "nvme": Device("nvme", "class=0108", "bar0", 0x4000, 10, {"setvar_size": "registers_size"},
                   dma_size=0x7000),
    "virtio": Device("virtio_blk", "id=1af4:1042", "bar4", 0x4000, 10,
                     {"setvar_size": "registers_size"}),
}
DRIVERS = {"ata": lambda plan, origin: plan.service(Ata, origin),
           **{name: lambda plan, origin, device=device: plan.service(PciDisk, origin, device)
              for name, device in PCI.items()}}


def _content(fields):
    """The attributes of a RAM disk's region."""
    size = fields.size("size", low=PAGE, high=LARGEST, unit=PAGE)
    content = {"prefill_path": fields.text("image")} if fields.has("image") else {}
    return content if size is None else {"size": f"0x{size:x}", **content}


def _server(plan, domain, element, fields):
    if not fields.has("driver"):
        content = _content(fields)
        if not content:
            plan.problems.add(element, "<disk> needs image=, size= or driver=")
            return None
        return RamDisk(plan, element, domain, content)
    for name in _RAM:
        if fields.has(name):
            plan.problems.add(element, f"{name}= is for a disk in memory; leave driver= out")
    kind = fields.choice("driver", None, DRIVERS)
    return DRIVERS[kind](plan, element) if kind else None


def _share(plan, element, fields):
    partition = fields.text("partition")
    share = Share(fields.number("first", 0), fields.number("count"),
                  fields.boolean("read_only", False), partition)
    if partition is None:
        return share
    if not _PARTITION.match(partition):
        plan.problems.add(element, f"partition='{partition}' on <disk>: must be a number from 1 "
                                   "on, label=TEXT or type=TYPE")
    for name in ("first", "count"):
        if fields.has(name):
            plan.problems.add(element, f"partition= and {name}= exclude each other")
    if not fields.has("driver"):
        plan.problems.add(element, "partition= is of a disk with driver=")
    return share


def expand(plan, domain, element):
    fields = Fields(element, plan.problems, (*_RAM, *_OF_EACH, "id"))
    number = fields.number("id", high=LIMITS.MAX_ID)
    if number is None and domain.count("disk") == MOST:
        plan.problems.add(element, f"<disk> needs the attribute 'id': {MOST} have usual ones")
        return
    _attach(plan, domain, element, fields, number)


def expand_in_guest(plan, domain, element):
    fields = Fields(element, plan.problems, (*_RAM, *_OF_EACH))
    if domain.count("disk") == MOST:
        plan.problems.add(element, f"a guest has {MOST} disks at most")
        return
    _attach(plan, domain, element, fields, None)


def _attach(plan, domain, element, fields, number):
    share = _share(plan, element, fields)
    server = _server(plan, domain, element, fields)
    if server and share.partition is not None:
        server = plan.service(Partitions, element, server)
    if server:
        server.attach(domain, element, number, share)
