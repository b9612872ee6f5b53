# SPDX-License-Identifier: BSD-2-Clause
"""Elements into the model: regions, channels, I/O address spaces, time domains."""
from compose import model
from compose.domain_reader import DomainReader
from compose.fields import NUMBER_EXAMPLES, Fields, parse_number
from compose.layout import LIMITS
from compose.short.expand import SHORT


def read_children(element, problems, readers):
    """Calls the reader of each child's name. Other children are problems; whether there were
    none."""
    known = True
    names = [*readers, *SHORT.get(element.name, ())]
    for child in element.children:
        if child.name in readers:
            readers[child.name](child)
            continue
        known = False
        problems.add(
            child,
            f"unknown element <{child.name}> under <{element.name}>; "
            "it takes " + ", ".join(f"<{name}>" for name in names),
        )
        problems.lose(child)
    return known


class Reader:
    def __init__(self, problems, board, config):
        self.problems = problems
        self.board = board
        self.config = config
        self.system = model.System()

    def read(self, root):
        if root.name != "system":
            self.problems.add(root, f"the root element is <{root.name}>; must be <system>")
            return self.system
        if root.text.strip():
            self.problems.add(root, "text directly under <system>; only elements are allowed")
        self.system.needs_cores = self._needs_cores(root)
        domains = DomainReader(self.system, self.problems, self.board, self.config, read_children)
        readers = {
            "memory_region": self._region,
            "protection_domain": domains.read,
            "channel": self._channel,
            "io_address_space": self._io_space,
            "domains": self._time_domains,
        }
        read_children(root, self.problems, readers)
        return self.system

    def _fields(self, element, *known):
        return Fields(element, self.problems, known)

    def _needs_cores(self, root):
        """Other attributes of the root mean nothing, and are no problem."""
        fields = self._fields(root, *root.attributes)
        return fields.choice("missing_cpu", "core0", ("core0", "refuse")) == "refuse"

    def _region(self, element):
        fields = self._fields(
            element, "name", "size", "page_size", "phys_addr", "prefill_path", "prefill_text",
            "prefill_bootinfo",
        )
        page_size = fields.number("page_size")
        if page_size is not None and page_size not in (model.PAGE, model.LARGE_PAGE):
            self.problems.add(element, "page_size must be 0x1000 (4 KiB) or 0x200000 (2 MiB)")
            page_size = model.PAGE
        bootinfo = None
        if fields.has("prefill_bootinfo"):
            bootinfo = fields.choice("prefill_bootinfo", "x86_tsc_freq", model.BOOTINFO_CHUNKS)
        is_screen = fields.text("phys_addr") == "screen"
        self.system.regions.append(
            model.Region(
                element,
                fields.text("name", required=True),
                fields.number("size"),
                page_size,
                None if is_screen else fields.number("phys_addr"),
                fields.text("prefill_path"),
                fields.text("prefill_text"),
                bootinfo,
                is_screen,
            )
        )

    def _channel(self, element):
        self._fields(element)
        ends = []
        known = read_children(
            element, self.problems, {"end": lambda child: ends.append(self._end(child))}
        )
        if len(ends) != 2:
            if known:
                self.problems.add(
                    element, f"<channel> has {len(ends)} <end>; exactly two are needed")
            return
        self.system.channels.append(model.Channel(element, ends))

    def _end(self, element):
        fields = self._fields(element, "pd", "id", "pp", "notify", "setvar_id")
        return model.End(
            element,
            fields.text("pd", required=True),
            fields.number("id", required=True, high=LIMITS.MAX_ID),
            fields.boolean("pp", False),
            fields.boolean("notify", True),
            fields.text("setvar_id"),
        )

    def _io_space(self, element):
        fields = self._fields(element, "name", "peripheral_id", "domain_id")
        if not self.board.io_spaces:
            self.problems.add(element, f"the board {self.board.name} has no IOMMU; remove it")
        space = model.IoSpace(
            element,
            fields.text("name", required=True),
            fields.pci("peripheral_id"),
            fields.number("domain_id", required=True, low=1, high=0xFFFF),
        )
        read_children(
            element, self.problems,
            {"iomap": lambda child: space.maps.append(self._io_map(child))},
        )
        self.system.io_spaces.append(space)

    def _io_map(self, element):
        fields = self._fields(element, "mr", "iovaddr", "perms")
        return model.IoMap(
            element,
            fields.text("mr", required=True),
            fields.number("iovaddr", required=True),
            fields.dma_rights(),
        )

    def _time_domains(self, element):
        self._fields(element)
        if not self.config.time_domains:
            self.problems.add(
                element,
                f"<domains> is for one core; take --config {self.config.name.removeprefix('smp-')}",
            )
        if self.system.schedule:
            self.problems.add(
                element,
                f"second <domains>; the first is at line {self.system.schedule.element.line}",
            )
            return
        if self.system.domains:
            self.problems.add(element, "<domains> must come before every <protection_domain>")
        schedule = model.Schedule(element)
        self.system.schedule = schedule
        seen = []
        known = read_children(
            element, self.problems,
            {
                "domain": lambda child: schedule.domains.append(self._time_domain(child)),
                "domain_schedule": lambda child: seen.append(self._schedule(child, schedule)),
            },
        )
        if len(seen) != 1 and known:
            self.problems.add(
                element, f"<domains> has {len(seen)} <domain_schedule>; exactly one is needed"
            )
        if not schedule.domains and known:
            self.problems.add(element, "<domains> needs at least one <domain>")

    def _time_domain(self, element):
        fields = self._fields(element, "name", "id")
        return model.TimeDomain(
            element,
            fields.text("name", required=True),
            fields.number("id", high=LIMITS.MAX_TIME_DOMAIN),
        )

    def _schedule(self, element, schedule):
        fields = self._fields(element, "start_index", "index_shift")
        schedule.start = fields.number("start_index", 0)
        schedule.shift = fields.number("index_shift", 0)
        schedule.place = element
        known = read_children(
            element, self.problems,
            {
                "schedule_entry": lambda child: schedule.slices.append(self._slice(child)),
                "schedule_end_marker":
                    lambda child: schedule.slices.append(self._end_marker(child)),
            },
        )
        if not schedule.slices and known:
            self.problems.add(
                element, "<domain_schedule> has no <schedule_entry>; at least one is needed")

    def _end_marker(self, element):
        self._fields(element)
        return model.Slice(element, None, 0, "ticks")

    def _slice(self, element):
        fields = self._fields(element, "domain", "duration")
        text = fields.text("duration", required=True)
        value, _, unit = text.partition(" ")
        duration = parse_number(value)
        if fields.has("duration") and (unit not in ("us", "ticks") or not duration
                                       or duration >> LIMITS.DURATION_BITS):
            self.problems.add(
                element,
                f"duration='{text}': must be {NUMBER_EXAMPLES} above 0, one blank, "
                "and the unit us or ticks",
            )
            duration, unit = 1, "us"
        return model.Slice(element, fields.text("domain", required=True), duration, unit)
