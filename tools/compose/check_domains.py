# SPDX-License-Identifier: BSD-2-Clause
"""Checks of protection domains and what they use: numbers, priorities, interrupts, ports,
channels."""
from compose import model
from compose.layout import LIMITS


def check(system, problems):
    _count(system, problems)
    for domain in system.domains:
        _domain(domain, problems)
        _children(system, domain, problems)
        _numbers(system, domain, problems)
        _variables(system, domain, problems)
    _irqs(system, problems)
    _ports(system, problems)
    for channel in system.channels:
        _channel(channel, problems)
    _devices(system, problems)


def _count(system, problems):
    if not system.domains and not problems.lost_names:
        problems.add(None, "no <protection_domain>; a system needs at least one")
    if len(system.domains) > LIMITS.MAX_DOMAINS:
        problems.add(
            system.domains[LIMITS.MAX_DOMAINS].element,
            f"more than {LIMITS.MAX_DOMAINS} protection domains",
        )


def _domain(domain, problems):
    if domain.budget > domain.period:
        problems.add(domain.element, "budget must not be above period")
    if domain.stack_size % model.PAGE:
        problems.add(domain.element, "stack_size must be a multiple of 4 KiB")


def _children(system, domain, problems):
    children = system.children(domain)
    if domain.guest and children:
        problems.add(
            children[0].element,
            f"'{domain.name}' monitors a virtual machine and cannot have child domains",
        )


def _numbers(system, domain, problems):
    """What a domain's programs count with: each number stands for one thing."""
    kinds = {
        "child id": [(child.child_id, child.element) for child in system.children(domain)],
        "slot": [(cap.slot, cap.element) for cap in domain.caps],
        "id": [(irq.id, irq.element) for irq in domain.irqs]
        + [(end.id, end.element) for end, _ in system.ends_of(domain)],
        "ioport id": [(port.id, port.element) for port in domain.ports],
    }
    for kind, uses in kinds.items():
        problems.add_repeated((f"{kind} {number} of '{domain.name}'", element)
                              for number, element in uses)


def _irqs(system, problems):
    """A vector, a pin and a message each have one user in the whole system."""
    irqs = [irq for domain in system.domains for irq in domain.irqs]
    problems.add_repeated(
        (what, irq.element) for irq in irqs for what in (f"vector {irq.vector}", irq.source()))


def _ports(system, problems):
    ports = [port for domain in system.domains for port in domain.ports]
    ports.sort(key=lambda port: (port.address, port.size))
    for index, port in enumerate(ports[1:], 1):
        longest = max(ports[:index], key=lambda other: other.address + other.size)
        if longest.address + longest.size > port.address:
            problems.add(
                port.element,
                f"I/O ports overlap those of the <ioport> at line {longest.element.line}",
                longest.element,
            )


def _channel(channel, problems):
    first, second = channel.ends
    if first.domain is None or second.domain is None:
        return
    if first.call and second.call:
        problems.add(channel.element, "pp='true' on both ends; only one end may call")
    elif first.call:
        _call(first, second.domain, problems)
    elif second.call:
        _call(second, first.domain, problems)


def _call(caller, callee, problems):
    if caller.domain.priority >= callee.priority:
        problems.add(
            caller.element,
            f"'{caller.domain.name}' (priority {caller.domain.priority}) calls "
            f"'{callee.name}' (priority {callee.priority}); the callee's priority must be higher",
            caller.domain.element, callee.element,
        )
    if callee.guest:
        problems.add(
            caller.element,
            f"'{callee.name}' monitors a virtual machine and cannot be called",
        )


def _variables(system, domain, problems):
    regions = {region.name: region for region in system.regions}
    for variable in domain.variables:
        name = variable.region_paddr
        if name is None or problems.is_lost("memory_region", name):
            continue
        if name not in regions:
            problems.add(variable.element, f"no <memory_region> is named '{name}'")
        elif regions[name].paddr is None:
            problems.add(variable.element, f"'{name}' has no phys_addr")
    symbols = ((f"symbol '{variable.symbol}'", variable.element) for variable in domain.variables)
    problems.add_repeated(symbols, "is set")


def _devices(system, problems):
    spaces = system.io_spaces
    problems.add_repeated(
        ("peripheral_id {:x}:{:x}.{:x}".format(*space.device), space.element)
        for space in spaces if not space.owner)
    problems.add_repeated((f"domain_id {space.domain_id}", space.element) for space in spaces)
