# SPDX-License-Identifier: BSD-2-Clause
"""<switch>: a virtual switch, with or without a network card. <network>: a station at it."""
import re
from dataclasses import dataclass, field

from compose.fields import Fields
from compose.layout import LIMITS
from compose.model import PAGE
from compose.short.pci import open_device
from compose.short.plan import FIRST_MEMORY, hexadecimal, kept, numbered

PORTS = 8
LINK_SIZE = 0x41000
FIRST_CHANNEL = 8  # of a program with networks
MOST, MOST_OF_GUEST = 4, 2
PRIORITY, CARD_PRIORITY = 210, 220
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}\Z")
NO_PORTS = "# no ports\n"


class Switch:
    def __init__(self, plan, element, number):
        fields = Fields(element, plan.problems, ("name", "card", "priority", "cpu"))
        fields.text("name", required=True)
        self.plan = plan
        self.number = number
        self.ports = []
        self.domain = plan.domain(element, plan.names.own(element), "vswitch.elf",
                                  fields.text("priority", str(PRIORITY)), **kept(element, "cpu"))
        region = self.domain.region(element, "settings", prefill_text=NO_PORTS)
        self.settings = plan.regions[-1]
        self.domain.map(element, region, "r", setvar_vaddr="settings_vaddr",
                        setvar_prefill_size="settings_size")
        card = fields.choice("card", None, CARDS) if fields.has("card") else None
        if card:
            _Card(plan, element, CARDS[card]).attach(self, element)

    def attach(self, element, region, station, address=None):
        """`station` is that end of the channel. Without an address the port is open."""
        if len(self.ports) == PORTS:
            self.plan.problems.add(element, f"the switch '{self.domain.name}' has {PORTS} ports, "
                                            "and all are taken")
            return
        port = len(self.ports) + 1
        self.ports.append(f"port {port} mac {address}\n" if address else f"port {port} open\n")
        self.settings.attributes["prefill_text"] = "".join(self.ports)
        self.domain.map(element, region, setvar_vaddr=f"link{port}_vaddr")
        self.plan.channel(element, station, (self.domain.name, port, {}))

    def usual_address(self):
        """Of the next port: locally administered, unique in the system."""
        return f"02:00:00:00:{self.number:02x}:{len(self.ports) + 1:02x}"


@dataclass(frozen=True)
class Device:
    """A network card on PCI: its driver, the grant's words, the BAR with its registers, bytes of
    memory for rings."""

    program: str
    grant: str
    bar: str
    size: int
    rings_size: int
    setvars: dict = field(default_factory=dict)  # of the registers, beyond usual
    rings_setvars: dict = field(default_factory=dict)


CARDS = {
    "e1000": Device("e1000", "id=8086:100e", "bar0", 0x20000, PAGE),
    "virtio": Device("virtio_net", "id=1af4:1041", "bar4", 0x4000, 2 * PAGE,
                     {"setvar_size": "registers_size"}, {"setvar_size": "rings_size"}),
}


class _Card:
    PCI_CHANNEL, SWITCH_CHANNEL = 1, 2

    def __init__(self, plan, origin, device):
        self.domain = domain = plan.driver(origin, device.program, CARD_PRIORITY)
        rings = domain.region(origin, "rings", size=hexadecimal(device.rings_size),
                              phys_addr=plan.physical(FIRST_MEMORY, device.rings_size))
        domain.map(origin, rings, setvar_vaddr="rings_vaddr", **device.rings_setvars)
        domain.add(origin, "setvar", symbol="rings_paddr", region_paddr=rings)
        domain.dma(origin, rings)
        self.link = domain.region(origin, "link", size=hexadecimal(LINK_SIZE),
                                  phys_addr=plan.physical(FIRST_MEMORY, LINK_SIZE))
        domain.map(origin, self.link, setvar_vaddr="link_vaddr")
        domain.add(origin, "setvar", symbol="link_paddr", region_paddr=self.link)
        domain.dma(origin, self.link)
        domain.add(origin, "irq", id="3", pin="11", trigger="level", polarity="high", vector="11")
        open_device(domain, origin, self.PCI_CHANNEL, device.grant, device.bar, device.size,
                    **device.setvars)

    def attach(self, switch, origin):
        switch.attach(origin, self.link, (self.domain.name, self.SWITCH_CHANNEL, {}))


def declare(plan, element, number):
    name = element.attributes.get("name")
    plan.switches.setdefault(name, Switch(plan, element, number))


def _address(plan, fields, element, switch):
    """Of the station, or None at an open port."""
    mac = fields.text("mac")
    is_open = fields.boolean("open", False)
    if mac is not None and is_open:
        plan.problems.add(element, "<network> takes one of mac= and open='true', not both")
    elif mac is not None and not _MAC.match(mac):
        plan.problems.add(element, f"mac='{mac}' on <network>: must be like 02:00:00:00:00:01")
    elif mac is not None and int(mac[:2], 16) & 1:
        plan.problems.add(element, f"mac='{mac}' on <network>: is that of a group")
    return None if is_open else mac or switch.usual_address()


def expand(plan, domain, element):
    fields = Fields(element, plan.problems, ("switch", "mac", "open", "id"))
    number = fields.number("id", high=LIMITS.MAX_ID)
    if number is None and domain.count("network") >= MOST:
        plan.problems.add(element, f"<network> needs the attribute 'id': {MOST} have usual ones")
        return
    _attach(plan, domain, element, fields, number)


def expand_in_guest(plan, domain, element):
    """The guest's card has the port's address: there is no open one."""
    fields = Fields(element, plan.problems, ("switch", "mac"))
    if domain.count("network") == MOST_OF_GUEST:
        plan.problems.add(element, f"a guest has {MOST_OF_GUEST} networks at most")
        return
    _attach(plan, domain, element, fields, None)


def _attach(plan, domain, element, fields, number):
    name = fields.text("switch", required=True)
    switch = plan.switches.get(name)
    if not switch:
        if fields.has("switch") and not plan.may_be_misspelt("switch", name):
            plan.problems.add(element, f"no <switch> is named '{name}'")
        return
    address = _address(plan, fields, element, switch)
    index = domain.number("network")
    link = domain.region(element, numbered("link", index), size=hexadecimal(LINK_SIZE))
    domain.map(element, link, setvar_vaddr=numbered("link", index, "_vaddr"))
    number = FIRST_CHANNEL + index if number is None else number
    switch.attach(element, link, (domain.name, number, {"pp": "true"}), address)
