# SPDX-License-Identifier: BSD-2-Clause
"""<disk>: a range of a disk's sectors, and the driver of that disk. Without driver= it is a disk in
memory."""
from dataclasses import dataclass, field

from compose.fields import Fields
from compose.layout import LIMITS
from compose.model import PAGE
from compose.short.pci import open_device
from compose.short.plan import FIRST_MEMORY, numbered
from compose.short.timer import Timer, map_tsc_info

FIRST_CHANNEL = 4  # of a program with disks
MOST = 4
QUEUE_SIZE = "0x1000"
DATA_SIZE = 0x20000  # as much as one request can move
GUEST_DATA_SIZE = 0x10_0000
LARGEST = 1 << 38
# Where a RAM disk maps the memory of guests.
FIRST_RAM, RAM_STEP = 0x100_0000_0000, 0x1_0000_0000
PRIORITY = 200
TIMER_CHANNEL, PCI_CHANNEL = 2, 3
_RAM = ("image", "size")
_OF_EACH = ("driver", "first", "count", "read_only")


class Server:
    """A driver, with what all of them have: up to four clients."""

    CLIENTS = 4
    FIRST_CHANNEL = 4
    by_dma = False
    # Whether it may move sectors into a guest's memory: only if no request of a guest is under way
    # when the guest runs, for a monitor that is restarted knows of none.
    reaches_guests = False

    def __init__(self, plan, origin):
        self.plan = plan
        self.count = 0
        self.domain = self.make_domain(origin)

    def attach(self, domain, element, number, grant):
        """`grant` is (variable, number) of what the client has. What it writes and reads is in a
        region of its own, or where the driver allows it in the memory of a guest."""
        if self.count == self.CLIENTS:
            self.plan.problems.add(element, f"'{self.domain.name}' has {self.CLIENTS} clients, "
                                            "and no more")
            return
        client, self.count = f"client{self.count}", self.count + 1
        index = domain.number("disk")
        queue = domain.region(element, numbered("queue", index), size=QUEUE_SIZE)
        domain.map(element, queue, setvar_vaddr=numbered("queue", index, "_vaddr"))
        self.domain.map(element, queue, setvar_vaddr=f"{client}_queue_vaddr")
        if domain.ram and self.reaches_guests:
            data, vaddr = domain.ram, FIRST_RAM + RAM_STEP * (self.count - 1)
        else:
            data, vaddr = self._own_data(domain, element, index), None
        self.domain.map(element, data, vaddr=vaddr, setvar_vaddr=f"{client}_data_vaddr",
                        setvar_size=f"{client}_data_size")
        if self.by_dma:
            self.domain.add(element, "setvar", symbol=f"{client}_data_paddr", region_paddr=data)
        for name, value in grant:
            self.domain.add(element, "setvar", symbol=f"{client}_{name}", value=str(value))
        self.plan.channel(
            element, (domain.name, FIRST_CHANNEL + index if number is None else number, {}),
            (self.domain.name, self.FIRST_CHANNEL + self.count - 1, {}))

    def _own_data(self, domain, element, index):
        size = GUEST_DATA_SIZE if domain.ram else DATA_SIZE
        place = {"phys_addr": self.plan.physical(FIRST_MEMORY, size)} if self.by_dma else {}
        data = domain.region(element, numbered("data", index), size=f"0x{size:x}", **place)
        told = {"setvar_size": numbered("data", index, "_size")} if domain.ram else {}
        domain.map(element, data, setvar_vaddr=numbered("data", index, "_vaddr"), **told)
        return data

    def add_time_outs(self, origin):
        map_tsc_info(self.plan, self.domain, origin)
        self.plan.service(Timer, origin).attach(self.domain, origin, TIMER_CHANNEL)


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
        self.domain.add(origin, "irq", id="1", pin=str(device.pin), trigger="level",
                        polarity="high", vector=str(device.pin))
        open_device(self.domain, origin, PCI_CHANNEL, device.grant, device.bar, device.size,
                    **device.setvars)
        self.add_time_outs(origin)
        return self.domain


class RamDisk(Server):
    """Each is a driver of its own."""

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
        domain = self.plan.domain(origin, name, "ramdisk.elf", PRIORITY)
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


def _grant(fields):
    first, count = fields.number("first", 0), fields.number("count")
    grant = [("first", first)] if first else []
    grant += [("count", count)] if count is not None else []
    return grant + ([("read_only", 1)] if fields.boolean("read_only", False) else [])


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
    grant = _grant(fields)
    server = _server(plan, domain, element, fields)
    if server:
        server.attach(domain, element, number, grant)
