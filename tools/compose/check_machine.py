# SPDX-License-Identifier: BSD-2-Clause
"""Checks of a description against one machine, by its board file: what the initial task would find
missing there."""


def check(system, problems, machine):
    _check_regions(system, problems, machine)
    _check_interrupts(system, problems, machine)
    _check_cores(system, problems, machine)
    _check_guests(system, problems, machine)
    _check_memory(system, problems, machine)
    _check_devices(system, problems, machine)


def _check_regions(system, problems, machine):
    for region in system.regions:
        missing = None if region.paddr is None else machine.missing(region.paddr, region.extent())
        if missing is not None:
            problems.add(region.element, f"memory region '{region.name}' at {region.paddr:#x}: on "
                         f"the machine of {machine.path} no program can have address "
                         f"{missing:#x}; the file lists under 'untyped' what there is")


def _check_interrupts(system, problems, machine):
    for domain in system.domains:
        for irq in domain.irqs:
            trouble = _trouble_of(irq, machine)
            if trouble:
                problems.add(irq.element, f"{irq.source()}: {trouble}")


def _trouble_of(irq, machine):
    if irq.kind:
        bus, device, function, _ = irq.arguments
        place = f"{bus:02x}:{device:02x}.{function:x}"
        if not machine.fitting(f"at={place}"):
            return f"the machine of {machine.path} has no PCI function {place}"
        return None
    number, pin = irq.arguments[:2]
    if number >= len(machine.ioapics):
        return f"the machine of {machine.path} has I/O APICs 0 to {len(machine.ioapics) - 1}"
    pins = machine.pins(number)
    if pins is not None and pin >= pins:
        return f"on the machine of {machine.path} it has pins 0 to {pins - 1}"
    return None


def _check_cores(system, problems, machine):
    """Where core 0 may stand in, that is odd, not wrong."""
    say = problems.add if system.needs_cores else problems.warn
    for domain in system.domains:
        if domain.core >= machine.cores:
            say(domain.element, f"'{domain.name}' is for core {domain.core}: the last core of the "
                f"machine of {machine.path} is {machine.cores - 1}")


def _check_guests(system, problems, machine):
    if machine.has_guests:
        return
    for domain in system.domains:
        if domain.guest:
            problems.add(domain.guest.element, f"virtual machine '{domain.guest.name}': the CPU of "
                         f"the machine of {machine.path} shows neither VT-x nor AMD-V; switch it "
                         "on in the firmware, and inspect the machine anew")


def _check_memory(system, problems, machine):
    """Of regions alone: what kernel objects and programs take comes on top."""
    wanted = sum(region.extent() for region in system.regions if region.paddr is None)
    if wanted > machine.free:
        problems.add(None, f"its memory regions have {wanted >> 20} MiB: the machine of "
                     f"{machine.path} has {machine.free >> 20} MiB free")


def _check_devices(system, problems, machine):
    taken = {}
    for space in system.io_spaces:
        if not space.owner or space.number >= len(space.grants):
            continue
        words = space.grants[space.number]
        found = [row for row in machine.fitting(words) if row["function"] not in taken]
        if not found:
            problems.add(space.element, f"'{space.owner.name}': no PCI device of the machine of "
                         f"{machine.path} fits '{words}'"
                         f"{', or another domain has it' if machine.fitting(words) else ''}")
            continue
        _check_group(problems, machine, space, found[0], taken)
        taken[found[0]["function"]] = (found[0], space)


def _check_group(problems, machine, space, row, taken):
    """Two owners of one group, where there is an IOMMU that ought to keep them apart."""
    for other, owner in taken.values():
        if (machine.has_iommu and other["group"] == row["group"] and owner.owner is not space.owner
                and not (owner.shares_group and space.shares_group)):
            problems.add(space.element, f"'{space.owner.name}': its device {row['function']} is in "
                         f"one group with {other['function']} of '{owner.owner.name}': the IOMMU "
                         f"of the machine of {machine.path} does not keep them apart")
