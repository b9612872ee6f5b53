# SPDX-License-Identifier: BSD-2-Clause
"""The partition service, between the driver of a disk and clients that have a partition each."""
from compose.short.plan import FIRST_MEMORY, hexadecimal, numbered
from compose.short.server import QUEUE_SIZE, Server

PRIORITY = 190
CHANNEL = 1  # to the driver
NO_CLIENTS = "# no clients\n"
# Buffer and data regions are side by side in physical memory and in the driver, so that the driver
# moves sectors of clients itself.
PLACE, STEP = 0x200_0000_0000, 0x10_0000


class Partitions(Server):
    by_dma = True

    def __init__(self, plan, origin, driver):
        self.driver = driver
        self.lines = []
        self.sizes = []  # of all that the driver reaches: elements that state it
        super().__init__(plan, origin)

    def make_domain(self, origin):
        name = self.plan.names.imply_of(
            "protection_domain", "partition", self.driver.domain, origin)
        self.domain = self.plan.domain(origin, name, "partition.elf", PRIORITY)
        self.memory = int(self.plan.physical(FIRST_MEMORY, (1 + self.CLIENTS) * STEP), 16)
        region = self.domain.region(origin, "settings", prefill_text=NO_CLIENTS)
        self.settings = self.plan.regions[-1]
        self.domain.map(origin, region, "r", setvar_vaddr="settings_vaddr",
                        setvar_prefill_size="settings_size")
        buffer = self._reached(self.domain, origin, "buffer", 0)
        self.domain.map(origin, buffer, setvar_vaddr="buffer_vaddr", setvar_size="buffer_size")
        for symbol in ("buffer_paddr", "disk_data_paddr"):
            self.domain.add(origin, "setvar", symbol=symbol, region_paddr=buffer)
        self._connect(origin, buffer)
        return self.domain

    def _reached(self, domain, origin, what, slot):
        """A region that the driver reaches, too."""
        return domain.region(origin, what, size=hexadecimal(STEP),
                             phys_addr=hexadecimal(self.memory + slot * STEP))

    def _connect(self, origin, buffer):
        """The service is a client of the driver."""
        client = self.driver.take_client(origin)
        if client is None:
            return
        queue = self.domain.region(origin, "queue", size=QUEUE_SIZE)
        self.domain.map(origin, queue, setvar_vaddr="disk_queue_vaddr")
        driver = self.driver.domain
        driver.map(origin, queue, setvar_vaddr=f"client{client}_queue_vaddr")
        driver.map(origin, buffer, vaddr=PLACE, setvar_vaddr=f"client{client}_data_vaddr")
        driver.add(origin, "setvar", symbol=f"client{client}_data_paddr", region_paddr=buffer)
        self.driver.reach(origin, buffer)
        for domain, symbol in ((driver, f"client{client}_data_size"),
                               (self.domain, "disk_data_size")):
            domain.add(origin, "setvar", symbol=symbol, value=hexadecimal(STEP))
            self.sizes.append(domain.element.children[-1])
        self.plan.channel(origin, (self.domain.name, CHANNEL, {}),
                          (driver.name, self.driver.FIRST_CHANNEL + client, {}))

    def reach(self, origin, region):
        self.driver.reach(origin, region)

    def make_data(self, domain, element, index):
        slot = self.count
        data = self._reached(domain, element, numbered("data", index), slot)
        self.driver.domain.map(element, data, vaddr=PLACE + slot * STEP)
        for size in self.sizes:
            size.attributes["value"] = hexadecimal((1 + slot) * STEP)
        return data

    def grant(self, element, client, share):
        which = share.partition if "=" in share.partition else f"number={share.partition}"
        self.lines.append(f"client {client} {which}{' read-only' if share.read_only else ''}\n")
        self.settings.attributes["prefill_text"] = "".join(self.lines)
