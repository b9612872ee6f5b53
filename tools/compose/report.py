# SPDX-License-Identifier: BSD-2-Clause
"""What is in an image, for people. The format is not for programs."""


def _domain_lines(domain, program):
    yield f"protection domain {domain.name}"
    yield f"  program {domain.program}, entry 0x{program.entry:x}"
    yield f"  priority {domain.priority}, {domain.budget} of {domain.period} us"
    yield f"  stack 0x{domain.limit():x}, 0x{domain.stack_size:x} bytes"
    for record in domain.maps:
        yield f"  map 0x{record.address:012x} {record.perms:3} {record.region_name}"
    for irq in domain.irqs:
        kind = "MSI" if irq.kind else "I/O APIC"
        yield f"  irq {irq.id}: {kind} {irq.arguments}, vector {irq.vector}"
    for port in domain.ports:
        yield f"  ioport {port.id}: 0x{port.address:x}, {port.size} ports"
    if domain.guest:
        yield f"  virtual machine {domain.guest.name}, vcpu {domain.guest.vcpu_id}"
        for record in domain.guest.maps:
            yield f"    map 0x{record.address:012x} {record.perms:3} {record.region_name}"


def report(system, programs):
    lines = []
    for domain in system.domains:
        lines += _domain_lines(domain, programs[domain.name])
    for region in system.regions:
        place = "anywhere" if region.paddr is None else f"at 0x{region.paddr:x}"
        lines.append(
            f"memory region {region.name}: 0x{region.size:x} bytes {place}, "
            f"pages of 0x{region.page_size:x}, prefill {len(region.data)} bytes"
        )
    for channel in system.channels:
        ends = [
            f"{end.domain_name}:{end.id}{' calls' if end.call else ''}" for end in channel.ends
        ]
        lines.append("channel " + " - ".join(ends))
    return "\n".join(lines) + "\n"
