# SPDX-License-Identifier: BSD-2-Clause
"""What the initial task will make of a system: objects, and the capabilities each protection
domain gets, in the slots Microkit's programs expect."""
from compose import model
from compose.contract import ABI

# What is left of an address after the indexes into the root and the main CNode.
GUARD_BITS = 64 - ABI.PD_ROOT_CAP_BITS - ABI.DOMAIN_CNODE_BITS
CAP_NAMES = {"cap_tcb": "tcb", "cap_sc": "sched_context", "cap_vspace": "space"}


def has_endpoint(system, domain):
    return bool(system.is_called(domain) or domain.guest or system.children(domain))


def domain_objects(system, domain):
    """(kind, name, size in bytes) of each kernel object of a protection domain."""
    name = domain.name
    yield "tcb", name, 1 << ABI.TCB_BITS
    yield "sched_context", name, 1 << ABI.DOMAIN_SCHED_CONTEXT_BITS
    yield "notification", name, 1 << ABI.NOTIFICATION_BITS
    yield "reply", name, 1 << ABI.REPLY_BITS
    yield "cnode", f"{name}/root", 1 << ABI.PD_ROOT_CAP_BITS + ABI.SLOT_BITS
    yield "cnode", f"{name}/main", 1 << ABI.DOMAIN_CNODE_BITS + ABI.SLOT_BITS
    yield "space", name, 1 << ABI.TABLE_BITS
    if has_endpoint(system, domain):
        yield "endpoint", name, 1 << ABI.ENDPOINT_BITS
    if domain.guest:
        yield "vcpu", domain.guest.name, 1 << ABI.VCPU_BITS
        yield "guest_space", domain.guest.name, 1 << ABI.TABLE_BITS


def domain_frames(domain, program):
    """(what, number of 4 KiB pages) private to a protection domain."""
    for segment in program.segments:
        first, last = segment.vaddr // model.PAGE, (segment.end() - 1) // model.PAGE
        access = "r" + "w" * segment.writable + "x" * segment.executable
        yield f"program 0x{first * model.PAGE:x} {access}", last - first + 1
    yield "stack", domain.stack_size // model.PAGE
    yield "ipc buffer", 1
    if domain.guest:
        yield "vcpu state", 1


def _fixed_caps(system, domain, own_thread):
    kind = "endpoint" if has_endpoint(system, domain) else "notification"
    yield ABI.INPUT_CAP, f"{kind} {domain.name}", ""
    if domain.parent:
        badge = 1 << ABI.BADGE_FAULT_BIT | domain.child_id
        handler = f"endpoint {domain.parent.name}"
    else:
        handler, badge = "endpoint initial task", system.domains.index(domain) + 1
    yield ABI.FAULT_EP_CAP, handler, f"badge 0x{badge:x}"
    yield ABI.VSPACE_CAP, f"space {domain.name}", ""
    yield ABI.REPLY_CAP, f"reply {domain.name}", ""
    if domain.passive:
        number = system.domains.index(domain) + 1
        yield ABI.MONITOR_EP, "endpoint initial task", f"badge 0x{number:x}"
    if own_thread:
        yield ABI.TCB_CAP, f"tcb {domain.name}", ""


def domain_caps(system, domain, own_thread):
    """(slot, object, rights or badge) of the main CNode, by slot."""
    caps = list(_fixed_caps(system, domain, own_thread))
    for end, other in system.ends_of(domain):
        if end.notify:
            caps.append((ABI.BASE_OUTPUT_NOTIFICATION_CAP + end.id,
                         f"notification {other.domain.name}",
                         f"read write, badge 0x{1 << other.id:x}"))
        if end.call:
            caps.append((ABI.BASE_ENDPOINT_CAP + end.id, f"endpoint {other.domain.name}",
                         f"write grant, badge 0x{1 << ABI.BADGE_CALL_BIT | other.id:x}"))
    caps += [(ABI.BASE_IRQ_CAP + irq.id, f"irq {irq.vector}", f"signals badge 0x{1 << irq.id:x}")
             for irq in domain.irqs]
    caps += [(ABI.BASE_TCB_CAP + child.child_id, f"tcb {child.name}", "")
             for child in system.children(domain)]
    if domain.guest:
        caps.append((ABI.DOMAIN_VCPU_STATE_CAP, f"frame of vcpu state {domain.guest.name}", ""))
        caps.append((ABI.BASE_VCPU_CAP + domain.guest.vcpu_id, f"vcpu {domain.guest.name}", ""))
    caps += [(ABI.BASE_IOPORT_CAP + port.id,
              f"ports 0x{port.address:x}..0x{port.address + port.size - 1:x}", "")
             for port in domain.ports]
    return sorted(caps)


def root_caps(domain):
    """(slot, object) of the root CNode."""
    yield 0, f"cnode {domain.name}/main, guard 0 of {GUARD_BITS} bits"
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
                "core": domain.core,
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
