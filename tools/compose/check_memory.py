# SPDX-License-Identifier: BSD-2-Clause
"""Checks of memory: regions and their contents, mappings of domains, guests and devices."""
from compose import model, sizes
from compose.layout import LIMITS


def check_regions(system, problems):
    for region in system.regions:
        _region(region, problems)
    for record in [*system.all_maps(), *system.all_io_maps()]:
        if record.region is None and not problems.is_lost("memory_region", record.region_name):
            problems.add(record.element, f"no <memory_region> is named '{record.region_name}'")


def check_mappings(system, problems):
    _screens(system, problems)
    _fixed_overlaps(system, problems)
    for domain in system.domains:
        _maps(domain.maps, domain.limit(), problems)
        if domain.guest:
            _maps(domain.guest.maps, model.GUEST_LIMIT, problems)
            _windows(domain, problems)
        _prefill_sizes(domain, problems)
    for space in system.io_spaces:
        _io_maps(space, problems)
    _unused(system, problems)


def _region(region, problems):
    given = [name for name, value in (("prefill_path", region.prefill_path),
                                      ("prefill_text", region.prefill_text),
                                      ("prefill_bootinfo", region.bootinfo)) if value is not None]
    if len(given) > 1:
        problems.add(region.element, f"{' and '.join(given)} exclude each other")
    if region.trouble:
        problems.add(region.element, region.trouble)
    _size(region, problems)
    if region.is_screen and given:
        problems.add(region.element, f"phys_addr='screen' and {given[0]} exclude each other")
    if region.paddr is None:
        return
    if region.paddr % region.alignment():
        problems.add(
            region.element, f"phys_addr must be a multiple of {sizes.exact(region.alignment())}")
    end = region.paddr + region.extent()
    if end > model.PHYSICAL_LIMIT:
        problems.add(
            region.element,
            f"'{region.name}' ends at 0x{end:x}; "
            f"physical memory ends at 0x{model.PHYSICAL_LIMIT:x}",
        )


def _size(region, problems):
    unit = region.alignment()
    if region.size is None:
        problems.add(region.element, f"'{region.name}' needs a size or a prefill")
    elif region.size == 0 or region.size % unit:
        problems.add(
            region.element,
            f"size of '{region.name}' is {sizes.exact(region.size)}; "
            f"must be a multiple of {sizes.exact(unit)} and not 0",
        )
    if len(region.data) > region.extent():
        source = "prefill_text" if region.prefill_path is None else f"'{region.prefill_path}'"
        problems.add(
            region.element,
            f"{source} has {sizes.exact(len(region.data))}, "
            f"'{region.name}' only {sizes.exact(region.extent())}",
        )


def _fixed_overlaps(system, problems):
    fixed = sorted(
        (region for region in system.regions if region.paddr is not None),
        key=lambda region: region.paddr,
    )
    for first, second in zip(fixed, fixed[1:]):
        if first.paddr + first.extent() > second.paddr:
            problems.add(
                second.element, f"'{second.name}' overlaps '{first.name}' in physical memory",
                first.element,
            )


def _screens(system, problems):
    """One region has the screen's memory, and no device and no guest gets it."""
    regions = [region for region in system.regions if region.is_screen]
    for region in regions[1:]:
        problems.add(region.element, f"'{region.name}' overlaps '{regions[0].name}': "
                                     "both are where the screen is")
    records = [*system.all_io_maps(), *(record for domain in system.domains if domain.guest
                                        for record in domain.guest.maps)]
    for record in records:
        if record.region and record.region.is_screen:
            problems.add(record.element, f"'{record.region_name}' is where the screen is: only a "
                                         "protection domain may map it", record.region.element)


def _overlaps(used, problems):
    """Of (start, end, record), each one that begins before an earlier one ends."""
    used.sort(key=lambda item: item[:2])
    for first, second in zip(used, used[1:]):
        if first[1] > second[0]:
            problems.add(
                second[2].element, _overlap_text(first, second[2]),
                first[2].element, first[2].region.element, second[2].region.element,
            )


def _overlap_text(first, record):
    start, end, earlier = first
    if earlier.region is record.region:
        return (f"'{record.region_name}' is mapped at 0x{start:x}..0x{end:x} already, "
                f"at line {earlier.element.line}")
    return f"'{record.region_name}' overlaps '{earlier.region_name}', which ends at 0x{end:x}"


def _maps(records, limit, problems):
    used = []
    for record in records:
        if record.region is None:
            continue
        unit = record.region.alignment()
        if record.address % unit:
            problems.add(
                record.element,
                f"vaddr 0x{record.address:x} must be a multiple of the page size, "
                f"{sizes.exact(unit)}",
                record.region.element,
            )
        end = record.address + record.region.extent()
        if end > limit:
            problems.add(
                record.element, f"the mapping ends at 0x{end:x}; the limit is 0x{limit:x}",
                record.region.element,
            )
        used.append((record.address, end, record))
    _overlaps(used, problems)


def _windows(domain, problems):
    """Of devices that the guest drives: addresses that nothing else has, in guest and monitor."""
    size = LIMITS.PASSED_WINDOW
    spans = [(record.address, record.address + record.region.extent())
             for record in [*domain.maps, *domain.guest.maps] if record.region]
    for passed in domain.guest.passed:
        start, end = passed.address, passed.address + size
        what = f"vaddr 0x{start:x} on <{passed.element.written().name}>"
        if start % size:
            problems.add(passed.element, f"{what} must be a multiple of {sizes.exact(size)}")
        elif end > domain.limit():
            problems.add(passed.element, f"{what}: the {sizes.exact(size)} from there end at "
                                         f"0x{end:x}; the limit is 0x{domain.limit():x}")
        elif any(start < other_end and other < end for other, other_end in spans):
            problems.add(passed.element, f"{what}: the {sizes.exact(size)} from there are not free "
                                         "in the guest and its monitor")
        spans.append((start, end))


def _prefill_sizes(domain, problems):
    for record in domain.maps:
        if record.needs_prefill and record.region and not record.region.has_content():
            problems.add(
                record.element,
                f"setvar_prefill_size: '{record.region_name}' has no prefill_path or prefill_text",
                record.region.element,
            )


def _io_maps(space, problems):
    used = []
    for record in space.maps:
        if record.region is None:
            continue
        if not record.is_placed and record.region.paddr is None:
            problems.add(
                record.element,
                f"'{record.region_name}' has no phys_addr, by which its driver tells the device of "
                "it, and no iovaddr= is given",
                record.region.element,
            )
            continue
        unit = record.region.alignment()
        if record.is_placed and record.address % unit:
            problems.add(
                record.element,
                f"iovaddr 0x{record.address:x} must be a multiple of the page size, "
                f"{sizes.exact(unit)}",
                record.region.element,
            )
        end = record.address + record.region.extent()
        if end > model.IO_LIMIT:
            problems.add(
                record.element,
                f"the mapping ends at 0x{end:x}; the limit is 0x{model.IO_LIMIT:x}",
                record.region.element,
            )
        used.append((record.address, end, record))
    _overlaps(used, problems)


def _unused(system, problems):
    used = {id(record.region) for record in system.all_maps()}
    for region in system.regions:
        if id(region) not in used:
            problems.warn(region.element, f"'{region.name}' is mapped nowhere")
