# SPDX-License-Identifier: BSD-2-Clause
"""<virtual_machine> directly under <system>: the monitor with its guest, and what the guest
boots."""
from dataclasses import dataclass
from typing import Optional

from compose.fields import Fields
from compose.model import LARGE_PAGE
from compose.short import backend, console, disk, life, network, passed, timer
from compose.short.plan import BUDGET, Domain, hexadecimal, kept

SMALLEST_MEMORY = 16 << 20
# Above it are the addresses of a PC's devices.
LARGEST_MEMORY = 3 << 30
RAM, KERNEL, INITRD = 0x1_0000_0000, 0x2_0000_0000, 0x2_4000_0000
PRIORITY = "100"
STACK_SIZE = "0x8000"  # as the monitor's protocol asks for
# Beside arguments that come with an image: quiet, as Debian's own boot loader says, and no search
# for a northbridge on 256 PCI buses, which Linux makes on AMD's CPUs before family 16h. Memory is
# compacted when it is needed, not by a thread that looks twice a second.
DEFAULT_CMDLINE = "console=ttyS0 quiet pci=noearly sysctl.vm.compaction_proactiveness=0"
# They are the monitor's, as they are written.
OF_DOMAIN = ("budget", "period", "cpu", "domain", "on_fault")
INSIDE = {**{name: backend.expand for name in backend.KINDS}, "disk": disk.expand_in_guest,
          "network": network.expand_in_guest, "passthrough": passed.expand}


@dataclass(frozen=True)
class BootFiles:
    """What a disk image boots; `arguments` is what the kernel needs to find its root."""

    kernel: str
    initrd: Optional[str]
    arguments: str


def declare(plan, element):
    """The monitor's protection domain, still without what is in it."""
    restarts = element.attributes.get("on_fault") == "restart"
    has_time = "budget" in element.attributes or "period" in element.attributes
    domain = Domain(plan, element.make("protection_domain", {
        "name": plan.names.own(element),
        "priority": element.attributes.get("priority", PRIORITY),
        "stack_size": STACK_SIZE, **({} if has_time else {"budget": BUDGET}),
        **kept(element, *OF_DOMAIN),
        **(kept(element, *life.OF_RESTARTS) if restarts else {})}))
    plan.guests.setdefault(domain.name, domain)
    return domain


def expand(plan, domain, element):
    fields = Fields(element, plan.problems, (
        "name", "memory", "boot", "kernel", "initrd", "cmdline", "rng", "balloon",
        "priority", *OF_DOMAIN, *life.ATTRIBUTES))
    fields.text("name", required=True)
    domain.add(element, "program_image", path="vmm.elf")
    domain.ram = _memory(domain, element, fields)
    _boot(domain, element, fields)
    timer.map_tsc_info(plan, domain, element)
    life.describe(domain, element, fields)
    domain.guest = element.make("virtual_machine", {
        "name": domain.name, **kept(element, "rng", "balloon")}, [
        element.make("vcpu", {"id": "0"}),
        element.make("map", {"mr": domain.ram, "vaddr": "0x0", "perms": "rwx"})])
    domain.element.children.append(domain.guest)
    plan.service(console.Serial, element).attach(domain, element)
    plan.service(timer.Timer, element).attach(domain, element)
    _children(plan, domain, element)


def _boot(domain, element, fields):
    """The files that the guest boots: named one by one, or those that are in a disk image."""
    if fields.has("boot"):
        for name in ("kernel", "initrd"):
            if fields.has(name):
                domain.plan.problems.add(element, f"boot= and {name}= exclude each other")
        files = domain.plan.boot_files.get(fields.text("boot"))
        if files is None:
            domain.plan.problems.add(
                element, f"no disk image '{fields.text('boot')}' was found to boot from")
            return
        kernel, initrd = files.kernel, files.initrd
        cmdline = f"{files.arguments} {fields.text('cmdline', DEFAULT_CMDLINE)}"
    else:
        kernel = fields.text("kernel", required=True)
        initrd, cmdline = fields.text("initrd"), fields.text("cmdline")
    _file(domain, element, "kernel", KERNEL, kernel)
    if initrd is not None:
        _file(domain, element, "initrd", INITRD, initrd)
    if cmdline:
        region = domain.region(element, "cmdline", prefill_text=cmdline)
        domain.map(element, region, "r", setvar_vaddr="guest_cmdline_vaddr",
                   setvar_prefill_size="guest_cmdline_size")


def _memory(domain, element, fields):
    size = fields.size("memory", required=True, low=SMALLEST_MEMORY, high=LARGEST_MEMORY,
                       unit=LARGE_PAGE)
    ram = domain.region(element, "ram", size=hexadecimal(size), page_size=hexadecimal(LARGE_PAGE))
    domain.map(element, ram, vaddr=RAM, setvar_vaddr="guest_ram_vaddr",
               setvar_size="guest_ram_size")
    return ram


def _file(domain, element, what, vaddr, path):
    """Guests that boot the same file read the same region."""
    shared = domain.plan.files
    if path not in shared:
        shared[path] = domain.region(element, what, page_size=hexadecimal(LARGE_PAGE),
                                     prefill_path=path)
    domain.map(element, shared[path], "r", vaddr=vaddr, setvar_vaddr=f"guest_{what}_vaddr",
               setvar_prefill_size=f"guest_{what}_size")


def _children(plan, domain, element):
    takes = ("console", *INSIDE)
    for child in element.children:
        if child.name in INSIDE:
            INSIDE[child.name](plan, domain, child)
        elif child.name == "console":
            # It is there without being named, too.
            Fields(child, plan.problems, ())
            domain.is_first(child)
        else:
            plan.problems.add(child, f"unknown element <{child.name}> under <virtual_machine>; "
                                     "directly under <system> it takes "
                                     + ", ".join(f"<{name}>" for name in takes))
