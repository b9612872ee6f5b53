# SPDX-License-Identifier: BSD-2-Clause
"""<timer>: the timer driver and a time-out of it. <tsc_info>: the rate of the time stamp
counter."""
from compose.fields import Fields
from compose.layout import LIMITS

CHANNEL = 1


class Timer:
    FIRST_CHANNEL = 2

    def __init__(self, plan, origin):
        self.plan = plan
        self.next_channel = self.FIRST_CHANNEL
        self.domain = plan.driver(origin, "timer", 250)
        hpet = plan.region(origin, "hpet", size="0x1000", phys_addr="0xfed00000")
        self.domain.map(origin, hpet, cached="false", setvar_vaddr="hpet_vaddr")
        map_tsc_info(plan, self.domain, origin)
        self.domain.add(origin, "irq", id="1", pin="2", trigger="edge", polarity="high", vector="2")
        self.domain.add(origin, "ioport", id="0", addr="0x70", size="2")
        self.domain.add(origin, "ioport", id="1", addr="0x40", size="4")

    def attach(self, domain, origin, number=CHANNEL):
        if self.next_channel > LIMITS.MAX_ID:
            self.plan.problems.add(
                origin, f"the timer driver has {LIMITS.MAX_ID - self.FIRST_CHANNEL + 1} clients, "
                        "and no more")
            return
        self.plan.channel(origin, (domain.name, number, {"pp": "true", "notify": "false"}),
                          (self.domain.name, self.next_channel, {}))
        self.next_channel += 1


def map_tsc_info(plan, domain, origin):
    region = plan.bootinfo(origin, "tsc_info", "x86_tsc_freq")
    domain.map(origin, region, "r", setvar_vaddr="tsc_info_vaddr")


def expand(plan, domain, element):
    fields = Fields(element, plan.problems, ("id",))
    number = fields.number("id", CHANNEL, high=LIMITS.MAX_ID)
    if domain.is_first(element):
        plan.service(Timer, element).attach(domain, element, number)


def expand_tsc_info(plan, domain, element):
    Fields(element, plan.problems, ())
    if domain.is_first(element):
        map_tsc_info(plan, domain, element)
