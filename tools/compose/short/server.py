# SPDX-License-Identifier: BSD-2-Clause
"""What serves disks by the block protocol: a driver, or a service between one and its clients."""
from compose.short.plan import FIRST_MEMORY, hexadecimal, numbered
from compose.short.timer import Timer, map_tsc_info

FIRST_CHANNEL = 4  # of a program with disks
QUEUE_SIZE = "0x1000"
DATA_SIZE = 0x20000  # as much as one request can move
GUEST_DATA_SIZE = 0x10_0000
# Where a server maps the memory of guests.
FIRST_RAM, RAM_STEP = 0x100_0000_0000, 0x1_0000_0000
PRIORITY = 200
TIMER_CHANNEL = 2


class Server:
    """Up to four clients, each with a queue, a data region and a channel."""

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

    def take_client(self, element):
        """The number of a new client; None, with a problem, if there are too many."""
        if self.count == self.CLIENTS:
            self.plan.problems.add(element, f"'{self.domain.name}' has {self.CLIENTS} clients, "
                                            "and no more")
            return None
        self.count += 1
        return self.count - 1

    def attach(self, domain, element, number, share):
        """`number` is the domain's channel, if not the usual one; `share` what it has."""
        client = self.take_client(element)
        if client is None:
            return
        index = domain.number("disk")
        queue = domain.region(element, numbered("queue", index), size=QUEUE_SIZE)
        domain.map(element, queue, setvar_vaddr=numbered("queue", index, "_vaddr"))
        self.domain.map(element, queue, setvar_vaddr=f"client{client}_queue_vaddr")
        self._add_data(domain, element, index, client)
        self.grant(element, client, share)
        self.plan.channel(
            element, (domain.name, FIRST_CHANNEL + index if number is None else number, {}),
            (self.domain.name, self.FIRST_CHANNEL + client, {}))

    def _add_data(self, domain, element, index, client):
        """Where sectors are moved: a region of the client's own, or a guest's memory."""
        if domain.ram and self.reaches_guests:
            data, vaddr = domain.ram, FIRST_RAM + RAM_STEP * client
        else:
            data, vaddr = self.make_data(domain, element, index), None
            size = {"setvar_size": numbered("data", index, "_size")} if domain.ram else {}
            domain.map(element, data, setvar_vaddr=numbered("data", index, "_vaddr"), **size)
        self.domain.map(element, data, vaddr=vaddr, setvar_vaddr=f"client{client}_data_vaddr",
                        setvar_size=f"client{client}_data_size")
        if self.by_dma:
            self.domain.add(element, "setvar", symbol=f"client{client}_data_paddr",
                            region_paddr=data)
            self.reach(element, data)

    def make_data(self, domain, element, index):
        size = GUEST_DATA_SIZE if domain.ram else DATA_SIZE
        place = {"phys_addr": self.plan.physical(FIRST_MEMORY, size)} if self.by_dma else {}
        return domain.region(element, numbered("data", index), size=hexadecimal(size), **place)

    def reach(self, origin, region):
        """The region is for a device, if there is one that moves sectors by DMA."""

    def grant(self, element, client, share):
        """What the client may reach, which is stated to a driver by variables."""
        for name, value in share.variables():
            self.domain.add(element, "setvar", symbol=f"client{client}_{name}", value=str(value))

    def add_time_outs(self, origin):
        map_tsc_info(self.plan, self.domain, origin)
        self.plan.service(Timer, origin).attach(self.domain, origin, TIMER_CHANNEL)
