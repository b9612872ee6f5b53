# SPDX-License-Identifier: BSD-2-Clause
"""Names of what short elements imply: `WHAT_DOMAIN` for regions, those of programs for drivers. If
the description has one for something else, that is a problem."""
from compose.check_names import LONGEST_NAME

# What is before the name of a domain in the longest implied one.
LONGEST_PREFIX = len("console_ramdisk9_")
LONGEST = LONGEST_NAME - LONGEST_PREFIX
KINDS = ("memory_region", "protection_domain")
# These become a protection domain of their name.
SHORT_DOMAINS = ("virtual_machine", "switch")


def _elements(root, kind):
    """All that are written, nested ones too."""
    for child in root.children:
        if child.name == kind or (kind == "protection_domain" and root.name == "system"
                                  and child.name in SHORT_DOMAINS):
            yield child
        if child.name == "protection_domain":
            yield from _elements(child, kind)


class Names:
    def __init__(self, root, problems):
        self.problems = problems
        self.written = {kind: {} for kind in KINDS}
        self.implied = {kind: set() for kind in KINDS}
        for kind in KINDS:
            for element in _elements(root, kind):
                name = element.attributes.get("name")
                self.written[kind].setdefault(name, element)

    def own(self, element):
        """The name of what becomes a protection domain, or a harmless one where it is wrong."""
        name = element.attributes.get("name")
        if name is None:
            self.problems.nameless.add("protection_domain")
            return self._free("protection_domain", "?")
        first = self.written["protection_domain"].get(name, element)
        if first is not element:
            self.problems.add(element, f"'{name}' is the name of the <{first.name}> at line "
                                       f"{first.line}; choose another")
        elif self._fits(element, name):
            return name
        return self._free("protection_domain", "?")

    def _fits(self, element, name):
        """Whether a domain's name leaves room in the names of what short elements imply."""
        if 1 <= len(name.encode()) <= LONGEST and not any(ord(letter) < 32 for letter in name):
            return True
        self.problems.add(element, f"name '{name}': must have 1 to {LONGEST} bytes beside short "
                                   "elements, and no control character")
        return False

    def imply(self, kind, name, origin):
        """The name for something implied; where it is taken, a free one, and a problem at the
        element that has it."""
        first = self.written[kind].get(name)
        if first is not None:
            self.problems.add(first, f"the name '{name}' is that of the <{kind}> which "
                                     f"<{origin.name}> at line {origin.line} implies; "
                                     "choose another")
        if first is not None or name in self.implied[kind]:
            return self._free(kind, name)
        self.implied[kind].add(name)
        return name

    def imply_of(self, kind, what, domain, origin):
        """The same for something of a domain."""
        if not self._fits(domain.written, domain.name):
            return self._free(kind, what)
        return self.imply(kind, f"{what}_{domain.name}", origin)

    def _free(self, kind, name):
        taken = {*self.written[kind], *self.implied[kind]}
        number = 0
        while f"{name[:LONGEST]}.{number}" in taken:
            number += 1
        self.implied[kind].add(f"{name[:LONGEST]}.{number}")
        return f"{name[:LONGEST]}.{number}"
