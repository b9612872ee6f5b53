# SPDX-License-Identifier: BSD-2-Clause
"""The PCI component, for drivers that short elements imply: each is granted one device, whose
registers it puts at a free address."""
from compose.short.plan import FIRST_REGISTERS

FIRST_CHANNEL = 1


class Pci:
    def __init__(self, plan, origin):
        self.plan = plan
        self.grants = []
        self.channels = {}  # by the driver that calls
        self.domain = plan.driver(origin, "pci", 230)
        devices = self.domain.region(origin, "settings", prefill_text="")
        self.settings = plan.regions[-1]
        memory_map = plan.bootinfo(origin, "memory_map", "x86_mbmmap")
        self.domain.map(origin, devices, "r", setvar_vaddr="settings_vaddr",
                        setvar_prefill_size="settings_size")
        self.domain.map(origin, memory_map, "r", setvar_vaddr="memory_map_vaddr")
        self.domain.add(origin, "ioport", id="0", addr="0xcf8", size="8")

    def grant(self, driver, origin, number, words):
        """The driver's channel has this number; its grants have numbers in their order."""
        if driver.name not in self.channels:
            channel = self.channels[driver.name] = FIRST_CHANNEL + len(self.channels)
            self.plan.channel(origin, (driver.name, number, {"pp": "true", "notify": "false"}),
                              (self.domain.name, channel, {"notify": "false"}))
        self.grants.append(f"grant {self.channels[driver.name]} {words}\n")
        self.settings.attributes["prefill_text"] = "".join(self.grants)


def open_device(driver, origin, number, device, bar, size, **setvars):
    """Grants the driver the first device that fits, and maps the registers behind the BAR."""
    plan = driver.plan
    address = plan.physical(FIRST_REGISTERS, size)
    region = driver.region(origin, "registers", size=f"0x{size:x}", phys_addr=address)
    driver.map(origin, region, cached="false", setvar_vaddr="registers_vaddr", **setvars)
    driver.add(origin, "setvar", symbol="registers_paddr", region_paddr=region)
    plan.service(Pci, origin).grant(driver, origin, number, f"{device} {bar}={address}")
