# SPDX-License-Identifier: BSD-2-Clause
"""Devices that domains drive: what their <dma> elements come to, an I/O address space for each
device, and which grant of the PCI component the device is found by."""
from compose import model

SETTINGS = "settings_vaddr"  # the symbol of the PCI component's program


def add_spaces(system, regions):
    """Memory is at its own address for a device: drivers give devices physical addresses."""
    spaces = {}
    for domain in system.domains:
        for dma in domain.dmas:
            key = domain.name, dma.number
            if key not in spaces:
                spaces[key] = _space(system, domain, dma)
                system.io_spaces.append(spaces[key])
            space = spaces[key]
            space.shares_group |= dma.shares_group
            region = regions.get(dma.region_name)
            address = region.paddr if region and region.paddr is not None else 0
            is_placed = dma.address is not None
            space.maps.append(model.IoMap(
                dma.element, dma.region_name, dma.address if is_placed else address, dma.perms,
                is_placed=is_placed))
        for passed in domain.guest.passed if domain.guest else ():
            if (domain.name, passed.number) in spaces:
                spaces[domain.name, passed.number].passed = passed


def _space(system, domain, dma):
    name = f"{domain.name} device {dma.number}" if dma.number else domain.name
    taken = {space.domain_id for space in system.io_spaces}
    free = next(number for number in range(1, len(taken) + 2) if number not in taken)
    return model.IoSpace(dma.element, name, (0, 0, 0), free, owner=domain, number=dma.number,
                         component_name=dma.component_name)


def find_grants(system):
    domains = {domain.name: domain for domain in system.domains}
    for space in system.io_spaces:
        if not space.owner:
            continue
        space.component = domains.get(space.component_name)
        if not space.component:
            continue
        space.channel = next(
            (other.id for end, other in system.ends_of(space.owner)
             if other.domain is space.component and end.call), None)
        space.settings = _settings(space.component)
        if space.settings and space.channel is not None:
            space.grants = _grants(space.settings.data, space.channel)
            space.moves = _grants(space.settings.data, space.channel, slice(3, None))


def _settings(component):
    """The region behind the symbol that leads to its settings."""
    address = next((variable.value for variable in component.variables
                    if variable.symbol == SETTINGS), None)
    return next((record.region for record in component.maps
                 if address is not None and record.address == address), None)


def _grants(data, channel, which=slice(2, 3)):
    """Words of the channel's grants, in their order: the first condition, or those behind it. What
    is wrong with a line, the component says at its start."""
    lines = [line.partition("#")[0].split() for line in data.decode(errors="replace").splitlines()]
    return [" ".join(words[which]) for words in lines
            if words[:2] == ["grant", str(channel)]]
