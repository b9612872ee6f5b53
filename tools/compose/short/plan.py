# SPDX-License-Identifier: BSD-2-Clause
"""What the short elements of one description imply, as it is collected: regions, protection
domains, channels, and the numbers that are free for them."""
from compose import model
from compose.fields import parse_number
from compose.layout import LIMITS
from compose.short.names import Names

# In every domain: each map at the next multiple of this, from here on.
FIRST_MAP = 0x8000_0000
MAP_STEP = 0x10_0000
# Memory that devices reach, and registers that are put where the description has them.
FIRST_MEMORY = 0x1000_0000
FIRST_REGISTERS = 0xD000_0000
# Round robin in turns of 10 ms, guests' and those of what they call: each end of a turn, of any
# program that ran since, is an interrupt, which is a VM exit of a guest that computes.
BUDGET = "10000"


def hexadecimal(number):
    return f"0x{number:x}"


def kept(element, *names):
    """Those of the attributes that are written, as they are."""
    return {name: element.attributes[name] for name in names if name in element.attributes}


class Domain:
    """A protection domain that is being filled: one that is written, or an implied one."""

    def __init__(self, plan, element):
        self.plan = plan
        self.element = element
        self.written = element.written()
        self.name = element.attributes.get("name", "?")
        self.ram = None  # the region with the memory of its guest
        self.guest = None  # the long <virtual_machine>, where it monitors one
        self.stream_ports = set()  # of the host, behind which components are for its guest
        self._next_map = FIRST_MAP
        self._counts = {}

    def core(self):
        """The attribute with its core; none if it has none that is right."""
        number = parse_number(self.element.attributes.get("cpu", ""))
        is_right = number is not None and number <= LIMITS.MAX_CORE
        return kept(self.element, "cpu") if is_right else {}

    def add(self, origin, name, **attributes):
        self.element.children.append(origin.make(name, attributes))

    def map(self, origin, region, perms="rw", vaddr=None, **attributes):
        if vaddr is None:
            vaddr, self._next_map = self._next_map, self._next_map + MAP_STEP
        self.add(origin, "map", mr=region, vaddr=hexadecimal(vaddr), perms=perms, **attributes)

    def dma(self, origin, region, perms="rw"):
        """Memory for its first device."""
        self.add(origin, "dma", mr=region, perms=perms)

    def count(self, kind):
        return self._counts.get(kind, -1) + 1

    def number(self, kind):
        """How many of the kind came before."""
        self._counts[kind] = self._counts.get(kind, -1) + 1
        return self._counts[kind]

    def is_first(self, element):
        """Whether the domain has no such element yet; it is a problem if it has."""
        if not self.number(element.name):
            return True
        self.plan.problems.add(
            element, f"'{self.name}' has a second <{element.name}>; one is allowed")
        return False

    def region(self, origin, what, **attributes):
        """A region named after the domain."""
        name = self.plan.names.imply_of("memory_region", what, self, origin)
        return self.plan.add_region(origin, name, attributes)


def numbered(name, number, end=""):
    """`link_vaddr`, `link1_vaddr`, and so on."""
    return f"{name}{number or ''}{end}"


class Plan:
    def __init__(self, root, problems, kinds, boot_files):
        self.problems = problems
        self.boot_files = boot_files  # of disk images, by the name that the description gives them
        self._root = root
        self._kinds = kinds  # of elements directly under it
        self.names = Names(root, problems)
        self.regions, self.domains, self.channels = [], [], []
        self.written = {}  # domains by name
        self.services = {}
        self.screen = None  # the domain that has the screen
        self.switches = {}
        self.guests = {}  # domains of monitors, by the name of the guest
        self.files = {}  # regions that several guests read, by file
        self._chunks = {}  # regions of boot information
        self._fixed = [_place(child) for child in root.children if child.name == "memory_region"]
        self._next_fixed = {FIRST_MEMORY: FIRST_MEMORY, FIRST_REGISTERS: FIRST_REGISTERS}

    def add_region(self, origin, name, attributes):
        self.regions.append(origin.make("memory_region", {"name": name, **attributes}))
        return name

    def region(self, origin, name, **attributes):
        """A region that belongs to no domain alone."""
        return self.add_region(origin, self.names.imply("memory_region", name, origin), attributes)

    def domain(self, origin, name, program, priority, **attributes):
        """An implied protection domain; the name is known to be free."""
        element = origin.make(
            "protection_domain",
            {"name": name, "priority": str(priority), "budget": BUDGET, **attributes},
            [origin.make("program_image", {"path": program})])
        self.domains.append(Domain(self, element))
        return self.domains[-1]

    def driver(self, origin, name, priority, **attributes):
        """The domain of a program of Nacre's, under its name."""
        free = self.names.imply("protection_domain", name, origin)
        return self.domain(origin, free, f"{name}.elf", priority, **attributes)

    def channel(self, origin, first, second):
        """Ends are (name of the domain, id, further attributes)."""
        ends = [origin.make("end", {"pd": name, "id": str(number), **attributes})
                for name, number, attributes in (first, second)]
        self.channels.append(origin.make("channel", children=ends))

    def service(self, kind, origin, *which):
        """The one service of its kind: the first element that needs it implies it."""
        if (kind, *which) not in self.services:
            self.services[kind, *which] = kind(self, origin, *which)
        return self.services[kind, *which]

    def bootinfo(self, origin, name, chunk):
        """The region with a chunk of boot information, which all that need it map."""
        if chunk not in self._chunks:
            self._chunks[chunk] = self.region(origin, name, prefill_bootinfo=chunk)
        return self._chunks[chunk]

    def may_be_misspelt(self, kind, name):
        """Whether something directly under <system> may be meant that has a problem of its own."""
        return self.problems.is_lost(kind, name) or any(
            child.attributes.get("name") == name and child.name not in self._kinds
            for child in self._root.children)

    def physical(self, first, size):
        """An address from `first` on where the description has no region."""
        start = self._next_fixed[first]
        while any(start < end and begin < start + size for begin, end in self._fixed):
            start += MAP_STEP
        self._next_fixed[first] = start + model.round_up(size, MAP_STEP)
        return hexadecimal(start)


def _place(region):
    """(start, end) of a written region in physical memory."""
    numbers = [parse_number(region.attributes.get(name, "")) for name in ("phys_addr", "size")]
    start, size = numbers
    return (0, 0) if start is None else (start, start + (size or MAP_STEP))
