# SPDX-License-Identifier: BSD-2-Clause
"""A description's tree with short elements into one without. Every element that is made knows the
short one it is of, so that later problems are at the line that the user wrote."""
from compose.short import console, disk, guest, life, network, settings, timer
from compose.short.plan import Domain, Plan

PROGRAM = "program"  # the attribute for <program_image>
IN_DOMAIN = {
    "console": console.expand, "timer": timer.expand, "tsc_info": timer.expand_tsc_info,
    "disk": disk.expand, "network": network.expand, "settings": settings.expand,
    "control": life.expand,
}
IN_SYSTEM = ("virtual_machine", "switch", "screen")
LONG_IN_SYSTEM = ("memory_region", "protection_domain", "channel", "io_address_space", "domains")
SHORT = {"system": IN_SYSTEM, "protection_domain": tuple(IN_DOMAIN)}


def has_short(element):
    """Whether there is a short element in this <system> or <protection_domain>."""
    for child in element.children:
        if child.name in (IN_SYSTEM if element.name == "system" else IN_DOMAIN):
            return True
        if child.name == "protection_domain" and (PROGRAM in child.attributes or has_short(child)):
            return True
    return False


def expand(root, problems, boot_files):
    """The tree that this one means; itself, if there is nothing short in it. `boot_files` are those
    of disk images that the description names."""
    if root.name != "system" or not has_short(root):
        return root
    return _Expansion(root, problems, boot_files).run()


class _Expansion:
    def __init__(self, root, problems, boot_files):
        self.plan = Plan(root, problems, (*IN_SYSTEM, *LONG_IN_SYSTEM), boot_files)
        self.root = root
        self.work = []  # what is still short, in the order of the description

    def run(self):
        """What refers to other elements is expanded when all are known."""
        children = self._declare()
        for act, domain, element in self.work:
            act(self.plan, domain, element)
        console.attach_drivers(self.plan)
        plan = self.plan
        implied = [domain.element for domain in plan.domains]
        made = self.root.make("system", self.root.attributes,
                              [*plan.regions, *children, *implied, *plan.channels])
        made.text = self.root.text
        return made

    def _declare(self):
        """The children of <system> that are written, without those that only imply others."""
        children = []
        for child in self.root.children:
            if child.name == "virtual_machine":
                domain = guest.declare(self.plan, child)
                self.work.append((guest.expand, domain, child))
                children.append(domain.element)
            elif child.name == "switch":
                network.declare(self.plan, child, len(self.plan.switches) + 1)
            elif child.name == "screen":
                self.work.append((console.expand_screen, None, child))
            elif child.name == "protection_domain":
                children.append(self._domain(child))
            else:
                children.append(child)
        return children

    def _domain(self, element):
        """A copy of a protection domain, whose short elements are still to be expanded."""
        attributes = {name: value for name, value in element.attributes.items() if name != PROGRAM}
        domain = Domain(self.plan, element.make("protection_domain", attributes))
        domain.element.text = element.text
        self.plan.written.setdefault(domain.name, domain)
        self._program(domain, element)
        for child in element.children:
            if child.name in IN_DOMAIN:
                self.work.append((IN_DOMAIN[child.name], domain, child))
            else:
                nested = child.name == "protection_domain"
                domain.element.children.append(self._domain(child) if nested else child)
        return domain.element

    def _program(self, domain, element):
        if PROGRAM not in element.attributes:
            return
        if any(child.name == "program_image" for child in element.children):
            self.plan.problems.add(element, "program= and <program_image> exclude each other")
            return
        domain.add(element, "program_image", path=element.attributes[PROGRAM])
