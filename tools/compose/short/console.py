# SPDX-License-Identifier: BSD-2-Clause
"""<console>: the serial driver and a console of it."""
from compose.fields import Fields
from compose.layout import LIMITS

CHANNEL = 0  # of <nacre/print.h>
SIZE = "0x5000"


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
