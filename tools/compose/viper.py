# SPDX-License-Identifier: BSD-2-Clause
"""What the description lets each protection domain do, as functions in the language of the Viper
verifier: facts that a proof about a component's program may rely on, since the initial task gives
exactly these capabilities and mappings."""
import re

from compose import model

PAGE = model.PAGE


def _any_of(conditions):
    return " || ".join(conditions) or "false"


def _predicate(comment, signature, conditions):
    return [f"// {comment}", f"function {signature}: Bool {{ {_any_of(conditions)} }}", ""]


def _equal(numbers):
    return [f"id == {number}" for number in sorted(numbers)]


def _inside(ranges):
    return [f"({start} <= address && address < {end})" for start, end in sorted(ranges)]


def _constant(name, value):
    return f"function {name}(): Int {{ {value} }}"


def _memory(domain, program):
    """(start, end, writable) of everything mapped in the domain."""
    for record in domain.maps:
        if record.region:
            yield record.address, record.address + record.region.size, "w" in record.perms
    for segment in program.segments:
        first = segment.vaddr // PAGE * PAGE
        yield first, -(-segment.end() // PAGE) * PAGE, segment.writable
    yield domain.limit(), model.STACK_TOP, True
    yield model.IPC_BUFFER, model.IPC_BUFFER + PAGE, True
    if domain.guest:
        yield model.VCPU_STATE, model.VCPU_STATE + PAGE, True


def _ports(domain):
    return [f"(id == {port.id} && {port.address} <= port && port < {port.address + port.size})"
            for port in domain.ports]


def _symbols(domain):
    """The variables that the composer sets, with their values."""
    for variable in domain.variables:
        if variable.value is not None:
            yield variable.symbol, variable.value


def _text(system, domain, program):
    ends = list(system.ends_of(domain))
    children = system.children(domain)
    memory = list(_memory(domain, program))
    lines = [f"// Protection domain '{domain.name}', program {domain.program}.", "",
             _constant("priority", domain.priority),
             _constant("budget_us", domain.budget), _constant("period_us", domain.period),
             f"function passive(): Bool {{ {str(domain.passive).lower()} }}", ""]
    lines += _predicate("Channels that it may notify, and those that it may call.",
                        "may_notify(id: Int)", _equal(own.id for own, _ in ends if own.notify))
    lines += _predicate("", "may_call(id: Int)", _equal(own.id for own, _ in ends if own.call))[1:]
    lines += _predicate("Numbers with which its entry points are called.",
                        "is_notified(id: Int)", _equal(
                            {own.id for own, other in ends if other.notify}
                            | {irq.id for irq in domain.irqs}))
    lines += _predicate("", "is_called(id: Int)",
                        _equal(own.id for own, other in ends if other.call))[1:]
    lines += _predicate("", "is_sent_faults_of(id: Int)", _equal(
        {child.child_id for child in children}
        | ({domain.guest.vcpu_id} if domain.guest else set())))[1:]
    lines += _predicate("Interrupts that it acknowledges, and its I/O ports.",
                        "has_interrupt(id: Int)", _equal(irq.id for irq in domain.irqs))
    lines += _predicate("", "has_port(id: Int, port: Int)", _ports(domain))[1:]
    lines += _predicate("Addresses at which it may read, and those at which it may write.",
                        "may_read(address: Int)", _inside((a, b) for a, b, _ in memory))
    lines += _predicate("", "may_write(address: Int)",
                        _inside((a, b) for a, b, writable in memory if writable))[1:]
    lines += [_constant(f"symbol_{name}", value) for name, value in sorted(_symbols(domain))]
    return "\n".join(lines).rstrip("\n") + "\n"


def files(system, programs):
    """(file name, text) of each protection domain."""
    taken = set()
    for domain in system.domains:
        stem = re.sub(r"[^\w-]", "_", domain.name, flags=re.ASCII)
        while stem in taken:
            stem += "_"
        taken.add(stem)
        yield f"{stem}.vpr", _text(system, domain, programs[domain.name])
