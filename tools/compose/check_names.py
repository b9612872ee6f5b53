# SPDX-License-Identifier: BSD-2-Clause
"""Checks of names: each means one thing, and leads to something."""
from compose.layout import LIMITS

LONGEST_NAME = LIMITS.NAME_LENGTH - 1


def check(system, problems):
    unique(system.regions, "memory_region", problems)
    unique(system.domains, "protection_domain", problems)
    unique([d.guest for d in system.domains if d.guest], "virtual_machine", problems)
    unique([space for space in system.io_spaces if not space.owner], "io_address_space", problems)
    for domain in system.domains:
        if domain.name == "monitor":
            problems.add(domain.element, "the name 'monitor' is reserved; choose another")
    for user in system.domain_users():
        if user.domain is None and not problems.is_lost("protection_domain", user.domain_name):
            problems.add(user.element, f"no <protection_domain> is named '{user.domain_name}'")


def unique(records, kind, problems):
    """Names of one kind of element: different ones, of a length and letters that can be shown."""
    seen = {}
    for record in records:
        if not 1 <= len(record.name.encode()) <= LONGEST_NAME:
            problems.add(
                record.element, f"name '{record.name}': must have 1 to {LONGEST_NAME} bytes")
        if any(ord(character) < 32 for character in record.name):
            problems.add(record.element, f"name {record.name!r}: has a control character")
        if record.name in seen:
            first = seen[record.name].element
            problems.add(
                record.element,
                f"second <{kind}> named '{record.name}'; the first is at line {first.line}",
            )
        seen.setdefault(record.name, record)
