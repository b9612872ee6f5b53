# SPDX-License-Identifier: BSD-2-Clause
"""Checks of time domains and their schedule."""
from compose.check_names import unique
from compose.layout import LIMITS


def check(system, problems):
    if system.schedule is None:
        for domain in system.domains:
            if domain.time_domain_name is not None:
                problems.add(domain.element, "the attribute 'domain' needs a <domains> element")
        return
    known = {domain.name for domain in system.schedule.domains}
    _time_domains(system.schedule.domains, problems)
    for domain in system.domains:
        if domain.time_domain_name is None:
            problems.add(
                domain.element,
                f"'{domain.name}' needs domain='...': there is a <domains> element",
            )
        else:
            _known(domain.time_domain_name, known, domain.element, problems)
    _place(system.schedule, problems)
    for entry in system.schedule.slices:
        if entry.domain_name is not None:
            _known(entry.domain_name, known, entry.element, problems)


def _known(name, known, element, problems):
    if name not in known and not problems.is_lost("domain", name):
        problems.add(element, f"no <domain> is named '{name}'")


def _time_domains(domains, problems):
    unique(domains, "domain", problems)
    problems.add_repeated(
        (f"domain id {domain.id}", domain.element) for domain in domains if domain.id is not None)
    for domain in domains:
        if domain.id is None:
            problems.add(domain.element, f"more than {LIMITS.MAX_TIME_DOMAIN + 1} domains")


def _place(schedule, problems):
    """The schedule fits into the kernel's, and begins with a domain."""
    place = schedule.place or schedule.element
    count = len(schedule.slices)
    if count > LIMITS.MAX_SLICES:
        problems.add(place, f"{count} schedule entries; at most {LIMITS.MAX_SLICES} are allowed")
    elif schedule.shift + count > LIMITS.MAX_SLICES:
        problems.add(
            place,
            f"index_shift {schedule.shift} and {count} entries: "
            f"together at most {LIMITS.MAX_SLICES}",
        )
    if schedule.start >= max(count, 1):
        problems.add(place, f"start_index {schedule.start}: must be below the {count} entries")
    elif count and schedule.slices[schedule.start].domain_name is None:
        problems.add(place, f"start_index {schedule.start} is an end marker")
