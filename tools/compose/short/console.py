# SPDX-License-Identifier: BSD-2-Clause
"""<console>: the serial driver and a console of it. <screen>: what shows the same on the PC's
screen, and has its keyboard."""
from compose.fields import Fields
from compose.layout import LIMITS

CHANNEL = 0  # of <nacre/print.h>
SIZE = "0x5000"
LINK_SIZE = "0x11000"
# The largest screen that the kernel takes, and what its last page is more.
SCREEN_SIZE = "0x10200000"
SCREEN_VADDR = 0x2_0000_0000
SCREEN_PRIORITY = 110  # above guests, so that keys are taken while they are busy
# Microseconds: drawing keeps guests from no more of their time, however much is printed.
SCREEN_BUDGET, SCREEN_PERIOD = 2000, 10000
IRQ, SERIAL = 1, 2  # numbers of the screen's component


class Serial:
    CONSOLES = 8
    FIRST_CHANNEL = 1

    def __init__(self, plan, origin):
        self.plan = plan
        self.count = 0
        self.domain = plan.driver(origin, "serial", 240)
        self.domain.add(origin, "irq", id="0", pin="4", trigger="edge", polarity="high", vector="4")
        self.domain.add(origin, "ioport", id="0", addr="0x3f8", size="8")

    def attach(self, domain, origin, number=CHANNEL):
        """A console for a domain, whose channel has this number."""
        if self.count == self.CONSOLES:
            self.plan.problems.add(origin, f"the serial driver has {self.CONSOLES} consoles, and "
                                           "all are taken")
            return
        index, self.count = self.count, self.count + 1
        region = domain.region(origin, "console", size=SIZE)
        domain.map(origin, region, setvar_vaddr="console_vaddr")
        self.domain.map(origin, region, setvar_vaddr=f"console{index}_vaddr")
        self.plan.channel(origin, (domain.name, number, {}),
                          (self.domain.name, self.FIRST_CHANNEL + index, {}))


def expand_screen(plan, _, element):
    Fields(element, plan.problems, ())
    if plan.screen:
        plan.problems.add(element, "a second <screen>; one is allowed")
        return
    plan.screen = domain = plan.driver(element, "screen", SCREEN_PRIORITY,
                                        budget=str(SCREEN_BUDGET), period=str(SCREEN_PERIOD))
    serial = plan.service(Serial, element).domain
    link = plan.region(element, "screen_link", size=LINK_SIZE)
    serial.map(element, link, setvar_vaddr="screen_vaddr")
    domain.map(element, link, setvar_vaddr="link_vaddr")
    info = plan.bootinfo(element, "screen_info", "nacre_screen")
    domain.map(element, info, "r", setvar_vaddr="screen_info_vaddr")
    memory = plan.region(element, "screen", size=SCREEN_SIZE, page_size="0x200000",
                         phys_addr="screen")
    domain.map(element, memory, vaddr=SCREEN_VADDR, setvar_vaddr="screen_vaddr")
    domain.add(element, "irq", id=str(IRQ), pin="1", trigger="edge", polarity="high", vector="1")
    domain.add(element, "ioport", id="0", addr="0x60", size="1")
    domain.add(element, "ioport", id="1", addr="0x64", size="1")
    plan.channel(element, (domain.name, SERIAL, {}),
                 (serial.name, Serial.FIRST_CHANNEL + Serial.CONSOLES, {}))


def expand(plan, domain, element):
    fields = Fields(element, plan.problems, ("id",))
    number = fields.number("id", CHANNEL, high=LIMITS.MAX_ID)
    if domain.is_first(element):
        plan.service(Serial, element).attach(domain, element, number)


def attach_drivers(plan):
    """Implied programs print on what consoles are left."""
    serial = plan.services.get((Serial,))
    for domain in plan.domains if serial else ():
        if domain is not serial.domain and serial.count < serial.CONSOLES:
            serial.attach(domain, domain.written)
