# SPDX-License-Identifier: BSD-2-Clause
"""What the initial task will make of a system: objects, and the capabilities each protection
domain gets, in the slots Microkit's programs expect."""
from compose import model

PAGE_BYTES = {model.PAGE: 4096, model.LARGE_PAGE: 1 << 21}
SLOT_INPUT, SLOT_FAULT, SLOT_SPACE, SLOT_REPLY, SLOT_MONITOR, SLOT_THREAD = 1, 2, 3, 4, 5, 6
BASE_NOTIFICATION, BASE_ENDPOINT, BASE_IRQ, BASE_THREAD = 10, 74, 138, 202
BASE_VCPU, BASE_PORT = 330, 394
CAP_NAMES = {"cap_tcb": "tcb", "cap_sc": "sched_context", "cap_vspace": "space"}


def has_endpoint(system, domain):
    return bool(system.is_called(domain) or domain.guest or system.children(domain))


def domain_objects(system, domain):
    """(kind, name, size in bytes) of each kernel object of a protection domain."""
    name = domain.name
    yield "tcb", name, 2048
    yield "sched_context", name, 256
    yield "notification", name, 64
    yield "reply", name, 32
    yield "cnode", f"{name}/root", 64 * 32
    yield "cnode", f"{name}/main", 512 * 32
    yield "space", name, 4096
    if has_endpoint(system, domain):
        yield "endpoint", name, 16
    if domain.guest:
        yield "vcpu", domain.guest.name, 1 << 14
        yield "guest_space", domain.guest.name, 4096


def domain_frames(domain, program):
    """(what, number of 4 KiB pages) private to a protection domain."""
    for segment in program.segments:
        first, last = segment.vaddr // model.PAGE, (segment.end() - 1) // model.PAGE
        access = "r" + "w" * segment.writable + "x" * segment.executable
        yield f"program 0x{first * model.PAGE:x} {access}", last - first + 1
    yield "stack", domain.stack_size // model.PAGE
    yield "ipc buffer", 1


def _fixed_caps(system, domain, own_thread):
    kind = "endpoint" if has_endpoint(system, domain) else "notification"
    yield SLOT_INPUT, f"{kind} {domain.name}", ""
    if domain.parent:
        handler, badge = f"endpoint {domain.parent.name}", 1 << 62 | domain.child_id
    else:
        handler, badge = "endpoint initial task", system.domains.index(domain) + 1
    yield SLOT_FAULT, handler, f"badge 0x{badge:x}"
    yield SLOT_SPACE, f"space {domain.name}", ""
    yield SLOT_REPLY, f"reply {domain.name}", ""
    if domain.passive:
        number = system.domains.index(domain) + 1
        yield SLOT_MONITOR, "endpoint initial task", f"badge 0x{number:x}"
    if own_thread:
        yield SLOT_THREAD, f"tcb {domain.name}", ""


def domain_caps(system, domain, own_thread):
    """(slot, object, rights or badge) of the main CNode, by slot."""
    caps = list(_fixed_caps(system, domain, own_thread))
    for end, other in system.ends_of(domain):
        if end.notify:
            caps.append((BASE_NOTIFICATION + end.id, f"notification {other.domain.name}",
                         f"read write, badge 0x{1 << other.id:x}"))
        if end.call:
            caps.append((BASE_ENDPOINT + end.id, f"endpoint {other.domain.name}",
                         f"write grant, badge 0x{1 << 63 | other.id:x}"))
    caps += [(BASE_IRQ + irq.id, f"irq {irq.vector}", f"signals badge 0x{1 << irq.id:x}")
             for irq in domain.irqs]
    caps += [(BASE_THREAD + child.child_id, f"tcb {child.name}", "")
             for child in system.children(domain)]
    if domain.guest:
        caps.append((BASE_VCPU + domain.guest.vcpu_id, f"vcpu {domain.guest.name}", ""))
    caps += [(BASE_PORT + port.id,
              f"ports 0x{port.address:x}..0x{port.address + port.size - 1:x}", "")
             for port in domain.ports]
    return sorted(caps)


def root_caps(domain):
    """(slot, object) of the root CNode."""
    yield 0, f"cnode {domain.name}/main, guard 0 of 49 bits"
    for cap in sorted(domain.caps, key=lambda cap: cap.slot):
        yield cap.slot, f"{CAP_NAMES[cap.kind]} {cap.domain.name}"


def as_document(system, programs, own_thread):
    """All of it as plain lists and dictionaries, for --capdl-json."""
    return {
        "domains": [
            {
                "name": domain.name,
                "parent": domain.parent.name if domain.parent else None,
                "program": domain.program,
                "entry": programs[domain.name].entry,
                "priority": domain.priority,
                "budget": domain.budget,
                "period": domain.period,
                "passive": domain.passive,
                "objects": [{"kind": kind, "name": name, "bytes": size}
                            for kind, name, size in domain_objects(system, domain)],
                "caps": [{"slot": slot, "object": name, "detail": detail}
                         for slot, name, detail in domain_caps(system, domain, own_thread)],
                "root_caps": [{"slot": slot, "object": name} for slot, name in root_caps(domain)],
                "maps": [_map_document(record) for record in domain.maps],
                "guest": domain.guest and {
                    "name": domain.guest.name,
                    "maps": [_map_document(record) for record in domain.guest.maps],
                },
            }
            for domain in system.domains
        ],
        "regions": [
            {"name": region.name, "bytes": region.size, "page": region.page_size,
             "physical": region.paddr, "prefill_bytes": len(region.data)}
            for region in system.regions
        ],
    }


def _map_document(record):
    return {"region": record.region_name, "address": record.address, "perms": record.perms,
            "cached": record.cached}
