# SPDX-License-Identifier: BSD-2-Clause
"""The system a description means: what it leaves out is filled in, names lead to what they name.
Nothing is judged here: where a name leads nowhere, or nothing fits, there is None for the checks to
find."""
import copy

from compose import devices, model
from compose.layout import LIMITS


def resolve(system, contents):
    """A resolved copy of what the reader made; `contents` is what files hold (files.py)."""
    system = copy.deepcopy(system)
    regions = {region.name: region for region in system.regions}
    for region in system.regions:
        _fill(region, contents)
    devices.add_spaces(system, regions)
    _find_regions(system, regions)
    _find_domains(system)
    devices.find_grants(system)
    for region in system.regions:
        region.page_size = region.page_size or _page_size(system, region)
    _settle_variables(system, regions)
    _settle_cores(system)
    if system.schedule:
        _number_time_domains(system.schedule.domains)
        _find_time_domains(system)
    return system


def _fill(region, contents):
    """What a region holds at the start, and the size that follows from it."""
    if region.prefill_path is not None:
        content = contents[region.prefill_path]
        region.data, region.trouble = content.data, content.trouble
    elif region.prefill_text is not None:
        region.data = region.prefill_text.encode()
        region.trouble = None if region.data else "prefill_text is empty"
    if region.size is None and (region.has_content() or region.bootinfo):
        unit = region.alignment()
        region.size = max(model.round_up(len(region.data), unit), unit)


def _find_regions(system, regions):
    for record in [*system.all_maps(), *system.all_io_maps()]:
        record.region = regions.get(record.region_name)


def _find_domains(system):
    domains = {domain.name: domain for domain in system.domains}
    for user in system.domain_users():
        user.domain = domains.get(user.domain_name)


def _page_size(system, region):
    """2 MiB pages where nothing speaks against them and the description left it open."""
    if any(record.region is region for record in system.all_io_maps()):
        return model.PAGE
    places = [record.address for record in system.all_maps() if record.region is region]
    places += [region.extent(), region.paddr or 0]
    large = all(place % model.LARGE_PAGE == 0 for place in places)
    return model.LARGE_PAGE if large else model.PAGE


def _settle_variables(system, regions):
    """Every variable gets its number; those that name a channel join the others of the domain."""
    for channel in system.channels:
        for end in channel.ends:
            if end.setvar_id is not None and end.domain:
                end.domain.variables.append(model.Variable(end.element, end.setvar_id, end.id))
    for domain in system.domains:
        for variable in domain.variables:
            if callable(variable.value):
                variable.value = variable.value(regions)


def _settle_cores(system):
    """An interrupt without a core of its own comes to where its domain is."""
    for domain in system.domains:
        for irq in domain.irqs:
            irq.core = domain.core if irq.core is None else irq.core


def _number_time_domains(domains):
    """Those without id get the lowest free ones, in the order of the description."""
    taken = {domain.id for domain in domains}
    free = (number for number in range(LIMITS.MAX_TIME_DOMAIN + 1) if number not in taken)
    for domain in domains:
        if domain.id is None:
            domain.id = next(free, None)


def _find_time_domains(system):
    known = {domain.name: domain.id for domain in system.schedule.domains}
    for domain in system.domains:
        domain.time_domain = known.get(domain.time_domain_name, 0)
    for entry in system.schedule.slices:
        entry.domain = known.get(entry.domain_name, 0)
