# SPDX-License-Identifier: BSD-2-Clause
"""A system as described: plain records. `element` is where a record is in the
description."""
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Optional

from compose.contract import ABI
from compose.layout import IRQ_KINDS
from compose.tree import Element

MAX_VECTOR = ABI.USER_IRQ_VECTORS - 1
MAX_PRIORITY = ABI.PRIORITIES - 2  # the initial task has the highest
MIN_BUDGET = 20
IO_LIMIT = 1 << 39
PHYSICAL_LIMIT = 1 << ABI.UNTYPED_MAX_BITS
PAGE = 1 << ABI.PAGE_BITS
LARGE_PAGE = 1 << ABI.LARGE_PAGE_BITS
STACK_TOP = ABI.DOMAIN_STACK_TOP
IPC_BUFFER = ABI.DOMAIN_IPC_BUFFER
VCPU_STATE = ABI.DOMAIN_VCPU_STATE
GUEST_LIMIT = ABI.USER_TOP
BOOTINFO_CHUNKS = {
    "x86_vbe": ABI.BOOTINFO_VBE,
    "x86_mbmmap": ABI.BOOTINFO_MEMORY_MAP,
    "x86_mbmap": ABI.BOOTINFO_MEMORY_MAP,
    "x86_acpi_rsdp": ABI.BOOTINFO_ACPI_RSDP,
    "x86_framebuffer": ABI.BOOTINFO_FRAMEBUFFER,
    "x86_tsc_freq": ABI.BOOTINFO_TSC_FREQUENCY,
    "fdt": 6,
    "nacre_start": ABI.BOOTINFO_START,
    "nacre_screen": ABI.BOOTINFO_SCREEN,
}


def round_up(value, unit):
    return (value + unit - 1) // unit * unit


@dataclass
class Region:
    element: Element
    name: str
    size: Optional[int]
    page_size: Optional[int]
    paddr: Optional[int]
    prefill_path: Optional[str]
    prefill_text: Optional[str]
    bootinfo: Optional[str]
    is_screen: bool = False  # the memory of the machine's screen, as far as there is one
    data: bytes = b""
    trouble: Optional[str] = None  # why there is no content where some should be

    def has_content(self):
        """Whether the description gives it one, whose length is known."""
        return self.prefill_path is not None or self.prefill_text is not None

    def is_ram(self):
        return self.paddr is None and not self.is_screen

    def where(self):
        """Its place in physical memory, for people; none if that can be anywhere."""
        if self.is_screen:
            return "where the screen is"
        return "" if self.paddr is None else f"at 0x{self.paddr:x}"

    def alignment(self):
        return self.page_size or PAGE

    def extent(self):
        """Bytes of address space it takes: whole pages, even where its size is none."""
        return max(round_up(self.size or 0, self.alignment()), self.alignment())


@dataclass
class Map:
    element: Element
    region_name: str
    address: int
    perms: str
    cached: bool
    needs_prefill: bool = False  # its program asks how long the content is
    region: Optional[Region] = None


@dataclass
class Variable:
    """A symbol to patch: its value is a number, or until it is resolved a function of the regions
    by name; None where there is none."""

    element: Element
    symbol: str
    value: object
    region_paddr: Optional[str] = None  # the region whose address it is


@dataclass
class Irq:
    element: Element
    id: int
    vector: int
    kind: int
    arguments: tuple
    core: Optional[int] = None  # until it is resolved: that of its domain

    def source(self):
        """What raises it."""
        if self.kind == IRQ_KINDS.DEVICE:
            owner, number, handle = self.arguments
            return f"MSI of device {number} of '{owner}', handle {handle}"
        if self.kind == IRQ_KINDS.MSI:
            bus, device, function, handle = self.arguments
            return f"MSI of {bus:x}:{device:x}.{function:x}, handle {handle}"
        return f"I/O APIC {self.arguments[0]} pin {self.arguments[1]}"


@dataclass
class Port:
    element: Element
    id: int
    address: int
    size: int


@dataclass
class Dma:
    """A region that a domain's device may reach; `component` grants the domain its devices."""

    element: Element
    region_name: str
    number: int
    perms: str
    component_name: str
    shares_group: bool
    address: Optional[int] = None  # for the device; without it that of the region


@dataclass
class Passed:
    """A device of the monitor's that the guest drives: where its registers are, at one address in
    the guest and in the monitor."""

    element: Element
    number: int
    address: int
    any_interrupt: bool  # also where it can raise any


@dataclass
class Guest:
    element: Element
    name: str
    vcpu_id: int
    rng: bool = False
    balloon: bool = False
    maps: list = field(default_factory=list)
    passed: list = field(default_factory=list)


@dataclass
class Restart:
    """What follows a fault: so many restarts, the first after so many microseconds."""

    limit: int
    backoff: int


@dataclass
class SharedCap:
    """A capability of one protection domain in the root CNode of another."""

    element: Element
    kind: str
    domain_name: str
    slot: int
    domain: Optional["Domain"] = None


@dataclass
class Domain:
    element: Element
    name: str
    priority: int
    budget: int
    period: int
    passive: bool
    stack_size: int
    fpu: bool
    core: int
    parent: Optional["Domain"] = None
    child_id: int = 0
    restart: Optional["Restart"] = None
    time_domain_name: Optional[str] = None
    time_domain: int = 0
    program: Optional[str] = None
    program_symbols: Optional[str] = None
    program_element: Optional[Element] = None
    maps: list = field(default_factory=list)
    irqs: list = field(default_factory=list)
    ports: list = field(default_factory=list)
    dmas: list = field(default_factory=list)
    variables: list = field(default_factory=list)
    guest: Optional[Guest] = None
    caps: list = field(default_factory=list)
    cspace: Optional[Element] = None

    def share(self):
        """The part of its core's time that its budget takes at most; None where nothing is set
        aside: it takes turns with others, or runs on the time of its callers."""
        if self.passive or self.budget >= self.period:
            return None
        return Fraction(self.budget, self.period)

    def limit(self):
        return STACK_TOP - self.stack_size


@dataclass
class End:
    element: Element
    domain_name: str
    id: int
    call: bool
    notify: bool
    setvar_id: Optional[str] = None
    domain: Optional[Domain] = None


@dataclass
class Channel:
    element: Element
    ends: list


@dataclass
class IoMap:
    element: Element
    region_name: str
    address: int
    perms: str
    region: Optional[Region] = None
    is_placed: bool = True  # the description says where


@dataclass
class IoSpace:
    element: Element
    name: str
    device: tuple  # (0, 0, 0) where it is found at the start: that of a domain
    domain_id: int
    maps: list = field(default_factory=list)
    # Of a device that a domain drives; the rest as far as it could be found.
    owner: Optional[Domain] = None
    number: int = 0
    component_name: str = ""
    component: Optional[Domain] = None
    channel: Optional[int] = None  # of the component to the domain
    settings: Optional[Region] = None  # with the component's grants
    grants: list = field(default_factory=list)  # of that channel: each grant's first condition
    moves: list = field(default_factory=list)  # and what stands behind it
    shares_group: bool = False
    passed: Optional[Passed] = None  # to the owner's guest

    def needs_iommu(self):
        """Whether a guest drives it, or its addresses are others than those of the memory."""
        if not self.owner:
            return False
        return bool(self.passed) or any(record.is_placed for record in self.maps)

    def which(self):
        """Which device it is, for people."""
        if not self.owner:
            return "{:x}:{:x}.{:x}".format(*self.device)
        return f"{self.grants[self.number]} of '{self.component_name}'"


@dataclass
class TimeDomain:
    element: Element
    name: str
    id: Optional[int]


@dataclass
class Slice:
    """An entry of the domain schedule; an end marker has no domain."""

    element: Element
    domain_name: Optional[str]
    duration: int
    unit: str
    domain: int = 0


@dataclass
class Schedule:
    """The <domains> element: time domains and who runs when."""

    element: Element
    place: Optional[Element] = None  # of the <domain_schedule>
    domains: list = field(default_factory=list)
    slices: list = field(default_factory=list)
    start: int = 0
    shift: int = 0


@dataclass
class System:
    regions: list = field(default_factory=list)
    domains: list = field(default_factory=list)
    channels: list = field(default_factory=list)
    io_spaces: list = field(default_factory=list)
    schedule: Optional[Schedule] = None
    needs_cores: bool = False  # a domain whose core is missing is not started

    def cores(self):
        """Cores that domains are on, in ascending order."""
        return sorted({domain.core for domain in self.domains})

    def on_core(self, core):
        return [domain for domain in self.domains if domain.core == core]

    def children(self, parent):
        return [domain for domain in self.domains if domain.parent is parent]

    def ends_of(self, domain):
        """(own end, other end) of each channel of the domain."""
        for channel in self.channels:
            for end, other in (channel.ends, channel.ends[::-1]):
                if end.domain is domain:
                    yield end, other

    def space_of(self, domain, number):
        """What the domain's device of that number reaches; None if nothing says so."""
        return next((space for space in self.io_spaces
                     if space.owner is domain and space.number == number), None)

    def domain_users(self):
        """Records that name a protection domain."""
        for channel in self.channels:
            yield from channel.ends
        for domain in self.domains:
            yield from domain.caps

    def all_maps(self):
        """Of protection domains and their guests."""
        for domain in self.domains:
            yield from domain.maps
            if domain.guest:
                yield from domain.guest.maps

    def all_io_maps(self):
        for space in self.io_spaces:
            yield from space.maps

    def is_called(self, domain):
        return any(other.call for _, other in self.ends_of(domain))
