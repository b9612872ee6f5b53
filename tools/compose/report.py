# SPDX-License-Identifier: BSD-2-Clause
"""Every object, capability, mapping and interrupt of a system as text for people. The format is
not for programs."""
from compose import model, objects, sizes
from compose.layout import IRQ_KINDS

TRIGGERS = {1: "level", 0: "edge"}
POLARITIES = {1: "low", 0: "high"}


def _heading(text):
    return ["", text, "=" * len(text)]


def _domain_lines(system, domain, program):
    short = domain.element.short()
    yield domain.name + (f", implied by <{short.name}> of line {short.line}" if short else "")
    yield f"  program {domain.program}, entry 0x{program.entry:x}"
    if domain.parent:
        yield f"  child {domain.child_id} of {domain.parent.name}, which handles its faults"
    passive = ", passive" if domain.passive else ""
    yield (f"  priority {domain.priority}, {domain.budget} of {domain.period} us{passive}, "
           f"core {domain.core}")
    if domain.time_domain_name:
        yield f"  time domain {domain.time_domain_name} ({domain.time_domain})"
    if domain.restart:
        yield (f"  after a fault: up to {domain.restart.limit} restarts, "
               f"the first after {domain.restart.backoff} us")
    yield (f"  stack 0x{domain.limit():x}..0x{domain.limit() + domain.stack_size:x}, "
           f"{sizes.exact(domain.stack_size)}")
    for record in domain.maps:
        yield _map_line(record)
    for irq in domain.irqs:
        # A message comes to the first core, whatever was asked.
        yield f"  irq {irq.id}: {irq_text(irq)}, vector {irq.vector}, core {irq.core}"
    for port in domain.ports:
        yield f"  ioport {port.id}: 0x{port.address:x}, {port.size} ports"
    if domain.guest:
        yield f"  virtual machine {domain.guest.name}, vcpu {domain.guest.vcpu_id}"
        for record in domain.guest.maps:
            yield "  " + _map_line(record)


def _map_line(record):
    cached = "" if record.cached else ", uncached"
    end = record.address + record.region.size
    return (f"  map 0x{record.address:012x}..0x{end:012x} {record.perms:3} "
            f"{record.region_name}, {sizes.exact(record.region.size)}{cached}")


def irq_text(irq):
    if irq.kind != IRQ_KINDS.IOAPIC:
        return irq.source()
    return f"{irq.source()}, {TRIGGERS[irq.arguments[2]]}, {POLARITIES[irq.arguments[3]]}"


def _capability_lines(system, domain, config):
    yield f"{domain.name}"
    for slot, name in objects.root_caps(domain):
        yield f"  root {slot:3}  {name}"
    for slot, name, detail in objects.domain_caps(system, domain, config.own_thread):
        yield f"  main {slot:3}  {name}{', ' + detail if detail else ''}"


def _object_lines(system, programs):
    total = 0
    for domain in system.domains:
        for kind, name, size in objects.domain_objects(system, domain):
            total += size
            yield f"  {kind:14} {name} ({sizes.exact(size)})"
        for what, count in objects.domain_frames(domain, programs[domain.name]):
            total += count * model.PAGE
            yield f"  frame          {domain.name}: {what}, {count} of {sizes.exact(model.PAGE)}"
    for region in system.regions:
        size = region.page_size
        place = region.where() or "anywhere"
        source = region.prefill_path or region.bootinfo or (
            "text" if region.prefill_text else "zero")
        total += region.size if region.is_ram() else 0
        yield (f"  frame          {region.name}: {region.size // size} of {sizes.exact(size)} "
               f"{place}, filled from {source}")
    yield f"  in all {sizes.rounded(total)} of RAM, page tables not counted"


def _channel_lines(system):
    for channel in system.channels:
        ends = []
        for end in channel.ends:
            may = [word for word, is_set in (("calls", end.call), ("notifies", end.notify))
                   if is_set]
            ends.append(f"{end.domain_name}:{end.id} ({' and '.join(may) or 'listens'})")
        yield "  " + " - ".join(ends)


def _schedule_lines(system):
    schedule = system.schedule
    names = {domain.id: domain.name for domain in schedule.domains}
    for index, entry in enumerate(schedule.slices):
        start = "  (start)" if index == schedule.start else ""
        if entry.domain_name is None:
            yield f"  {schedule.shift + index:2}  end marker"
        else:
            yield (f"  {schedule.shift + index:2}  {names[entry.domain]} ({entry.domain}) "
                   f"{entry.duration} {entry.unit}{start}")


def _core_lines(system):
    """Who is on which core, the most important first, and what is set aside for whom."""
    for core in system.cores():
        domains = sorted(system.on_core(core), key=lambda domain: -domain.priority)
        total = sum(domain.share() or 0 for domain in domains)
        yield f"  core {core}: budgets of {sizes.percent(total)}"
        for domain in domains:
            yield f"    {domain.name}, priority {domain.priority}: {_share_text(domain)}"


def _share_text(domain):
    if domain.share() is not None:
        return f"{sizes.percent(domain.share())}, {domain.budget} of {domain.period} us"
    if domain.passive:
        return "passive"
    return f"turns of {domain.budget} us"


def _device_lines(system):
    for space in system.io_spaces:
        yield f"  {space.name}: device {space.which()}, IOMMU domain {space.domain_id}"
        if space.passed:
            yield (f"    passed through to the guest {space.owner.guest.name}, its registers at "
                   f"0x{space.passed.address:x} there")
        for record in space.maps:
            yield (f"    map 0x{record.address:010x} {record.perms:2} {record.region_name}, "
                   f"{sizes.exact(record.region.size)}")


def report(system, programs, config):
    lines = [f"System for configuration {config.name}: {len(system.domains)} protection domains"]
    lines += _heading("Protection domains")
    for domain in system.domains:
        lines += _domain_lines(system, domain, programs[domain.name])
    lines += _heading("Cores") + list(_core_lines(system))
    if system.channels:
        lines += _heading("Channels") + list(_channel_lines(system))
    irqs = [(irq.vector, irq, domain) for domain in system.domains for irq in domain.irqs]
    if irqs:
        lines += _heading("Interrupts")
        for vector, irq, domain in sorted(irqs, key=lambda item: item[0]):
            lines.append(f"  vector {vector}: {irq_text(irq)} -> {domain.name}:{irq.id}")
    if system.schedule:
        lines += _heading("Domain schedule") + list(_schedule_lines(system))
    if system.io_spaces:
        lines += _heading("I/O address spaces") + list(_device_lines(system))
    lines += _heading("Capabilities")
    for domain in system.domains:
        lines += _capability_lines(system, domain, config)
    lines += _heading("Objects") + list(_object_lines(system, programs))
    return "\n".join(lines) + "\n"
