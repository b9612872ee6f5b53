# SPDX-License-Identifier: BSD-2-Clause
"""Checks of the devices that domains drive: each has to be found at the start, by one of them, and
apart from those of others where the description already says which it is."""
import re

from compose.layout import IRQ_KINDS

_MOVE = re.compile(r"\bbar\d=\S*")


def check(system, problems):
    for space in system.io_spaces:
        trouble = _trouble(space) if space.owner else None
        if trouble and not problems.is_lost("protection_domain", space.component_name):
            problems.add(space.element, trouble)
    for domain in system.domains:
        _references(system, domain, problems)
    _groups([space for space in system.io_spaces if _place(space)], problems)


def _trouble(space):
    """Why the device cannot be found, or None."""
    owner, name = space.owner.name, space.component_name
    if not space.component:
        return f"no <protection_domain> is named '{name}', which is to grant '{owner}' its device"
    if space.channel is None:
        return f"'{owner}' does not call '{name}': no <channel> has an end with pp='true' there"
    if not space.settings:
        return f"'{name}' has no settings: no <map> of it has setvar_vaddr='settings_vaddr'"
    if space.number >= len(space.grants):
        return (f"'{owner}' has no device {space.number}: the settings of '{name}' have "
                f"{len(space.grants)} `grant {space.channel}`")
    if space.passed and _MOVE.search(space.moves[space.number]):
        return (f"device {space.number} of '{owner}', which its guest drives, stays where it is: "
                f"its grant has {_MOVE.search(space.moves[space.number]).group()}")
    if space.component.core:
        return (f"'{name}' must be on core 0, where the initial task finds devices and resets "
                "them")
    return None


def _references(system, domain, problems):
    """What names a device of the domain by its number."""
    uses = [(irq.element, irq.arguments[1]) for irq in domain.irqs if irq.kind == IRQ_KINDS.DEVICE]
    uses += [(passed.element, passed.number)
             for passed in (domain.guest.passed if domain.guest else ())]
    for element, number in uses:
        if not system.space_of(domain, number):
            problems.add(element, f"no <dma> of '{domain.name}' has device='{number}', which says "
                                  "what the device reaches")
    if domain.guest:
        problems.add_repeated((f"device {passed.number} of '{domain.name}'", passed.element)
                              for passed in domain.guest.passed)


def _place(space):
    """(component, bus and device, function) of a device that the grant names by its place."""
    if not space.owner or space.number >= len(space.grants):
        return None
    kind, _, place = space.grants[space.number].partition("=")
    slot, _, function = place.rpartition(".")
    return (space.component_name, slot.lower(), function) if kind == "at" else None


def _groups(spaces, problems):
    for index, space in enumerate(spaces):
        for other in spaces[:index]:
            (*slot, function), (*other_slot, other_function) = _place(space), _place(other)
            if slot != other_slot:
                continue
            if function == other_function:
                problems.add(space.element, f"'{other.owner.name}' has this device already",
                             other.element)
            elif other.owner is not space.owner and not (
                    other.shares_group and space.shares_group):
                problems.add(
                    space.element,
                    f"'{other.owner.name}' has another function of this device, from which an "
                    "IOMMU does not keep it apart; shared_group='true' at both allows it",
                    other.element)
