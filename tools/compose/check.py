# SPDX-License-Identifier: BSD-2-Clause
"""What one element alone cannot show: names, references, identifiers, priorities, time."""
from compose import model
from compose.check_memory import MemoryChecker


class Checker:
    def __init__(self, system, problems, search_paths):
        self.system = system
        self.problems = problems
        self.memory = MemoryChecker(system, problems, search_paths)

    def check(self):
        system = self.system
        self._unique("memory_region", system.regions)
        self._unique("protection_domain", system.domains)
        self._unique("virtual_machine", [d.guest for d in system.domains if d.guest])
        self._unique("io_address_space", system.io_spaces)
        self._references()
        self.problems.end_step()
        self.memory.check()
        self.problems.end_step()
        for domain in system.domains:
            self._domain(domain)
            self._children(domain)
            self._caps(domain)
        self._count()
        self._irqs()
        self._ports()
        for channel in system.channels:
            self._channel(channel)
        self._channel_ids()
        self._variables()
        self._devices()
        self._time_domains()

    def _unique(self, kind, records):
        seen = {}
        for record in records:
            if len(record.name.encode()) > 63 or not record.name:
                self.problems.add(record.element, f"name '{record.name}': must have 1 to 63 bytes")
            if any(ord(character) < 32 for character in record.name):
                self.problems.add(record.element, f"name {record.name!r}: has a control character")
            if kind == "protection_domain" and record.name == "monitor":
                self.problems.add(record.element, "the name 'monitor' is reserved; choose another")
            if record.name in seen:
                first = seen[record.name].element
                self.problems.add(
                    record.element,
                    f"second <{kind}> named '{record.name}'; the first is at line {first.line}",
                )
            seen.setdefault(record.name, record)

    def _count(self):
        if not self.system.domains and not self.problems.lost_names:
            self.problems.add(None, "no <protection_domain>; a system needs at least one")
        if len(self.system.domains) > model.MAX_DOMAINS:
            self.problems.add(
                self.system.domains[model.MAX_DOMAINS].element,
                f"more than {model.MAX_DOMAINS} protection domains",
            )

    def _references(self):
        domains = {domain.name: domain for domain in self.system.domains}
        users = [end for channel in self.system.channels for end in channel.ends]
        users += [cap for domain in self.system.domains for cap in domain.caps]
        for user in users:
            user.domain = domains.get(user.domain_name)
            if user.domain is None and not self.problems.is_lost(
                    "protection_domain", user.domain_name):
                self.problems.add(
                    user.element, f"no <protection_domain> is named '{user.domain_name}'"
                )

    def _domain(self, domain):
        if domain.budget > domain.period:
            self.problems.add(domain.element, "budget must not be above period")
        if domain.stack_size % model.PAGE:
            self.problems.add(domain.element, "stack_size must be a multiple of 0x1000")

    def _children(self, domain):
        children = self.system.children(domain)
        if domain.guest and children:
            self.problems.add(
                children[0].element,
                f"'{domain.name}' monitors a virtual machine and cannot have child domains",
            )
        seen = {}
        for child in children:
            if child.child_id in seen:
                self.problems.add(
                    child.element,
                    f"child id {child.child_id} of '{domain.name}' is used "
                    f"at line {seen[child.child_id].line} too", seen[child.child_id],
                )
            seen.setdefault(child.child_id, child.element)

    def _caps(self, domain):
        seen = {}
        for cap in domain.caps:
            if cap.slot in seen:
                self.problems.add(
                    cap.element,
                    f"slot {cap.slot} of '{domain.name}' is used "
                    f"at line {seen[cap.slot].line} too", seen[cap.slot],
                )
            seen.setdefault(cap.slot, cap.element)

    def _irqs(self):
        """A vector, a pin and a message each have one user in the whole system."""
        seen = {}
        for irq in (irq for domain in self.system.domains for irq in domain.irqs):
            for what in (f"vector {irq.vector}", irq.source()):
                if what in seen:
                    self.problems.add(
                        irq.element,
                        f"{what} is used by the <irq> at line {seen[what].line} too",
                        seen[what],
                    )
                seen.setdefault(what, irq.element)

    def _ports(self):
        ranges = []
        for domain in self.system.domains:
            seen = set()
            for port in domain.ports:
                if port.id in seen:
                    self.problems.add(
                        port.element,
                        f"ioport id {port.id} is used twice in '{domain.name}'",
                    )
                seen.add(port.id)
                ranges.append((port.address, port.address + port.size, port))
        ranges.sort(key=lambda item: item[:2])
        for index, (start, _, port) in enumerate(ranges[1:], 1):
            longest = max(ranges[:index], key=lambda item: item[1])
            if longest[1] > start:
                self.problems.add(
                    port.element,
                    f"I/O ports overlap those of the <ioport> at line {longest[2].element.line}",
                    longest[2].element,
                )

    def _channel(self, channel):
        ends = channel.ends
        if any(end.domain is None for end in ends):
            return
        if ends[0].call and ends[1].call:
            self.problems.add(channel.element, "pp='true' on both ends; only one end may call")
            return
        for caller, callee in ((ends[0], ends[1]), (ends[1], ends[0])):
            if not caller.call:
                continue
            if caller.domain.priority >= callee.domain.priority:
                self.problems.add(
                    caller.element,
                    f"'{caller.domain.name}' (priority {caller.domain.priority}) calls "
                    f"'{callee.domain.name}' (priority {callee.domain.priority}); "
                    "the callee's priority must be higher",
                    caller.domain.element, callee.domain.element,
                )
            if callee.domain.guest:
                self.problems.add(
                    caller.element,
                    f"'{callee.domain.name}' monitors a virtual machine and cannot be called",
                )

    def _channel_ids(self):
        for domain in self.system.domains:
            seen = {}
            users = [(irq.id, irq.element) for irq in domain.irqs]
            users += [(end.id, end.element) for end, _ in self.system.ends_of(domain)]
            for identity, element in users:
                if identity in seen:
                    self.problems.add(
                        element,
                        f"id {identity} of '{domain.name}' is used "
                        f"at line {seen[identity].line} too", seen[identity],
                    )
                seen.setdefault(identity, element)

    def _variables(self):
        regions = {region.name: region for region in self.system.regions}
        for channel in self.system.channels:
            for end in channel.ends:
                if end.setvar_id is not None and end.domain:
                    end.domain.variables.append(model.Variable(end.element, end.setvar_id, end.id))
        for domain in self.system.domains:
            seen = {}
            for variable in domain.variables:
                name = getattr(variable.element, "region_paddr", None)
                if name is not None:
                    if self.problems.is_lost("memory_region", name):
                        continue
                    if name not in regions:
                        self.problems.add(variable.element, f"no <memory_region> is named '{name}'")
                    elif regions[name].paddr is None:
                        self.problems.add(variable.element, f"'{name}' has no phys_addr to tell")
                if variable.symbol in seen:
                    self.problems.add(
                        variable.element,
                        f"symbol '{variable.symbol}' is set "
                        f"at line {seen[variable.symbol].line} too",
                    )
                seen.setdefault(variable.symbol, variable.element)

    def _devices(self):
        devices, identities = {}, {}
        for space in self.system.io_spaces:
            for seen, key, what in (
                (devices, space.device, "peripheral_id"),
                (identities, space.domain_id, "domain_id"),
            ):
                if key in seen:
                    self.problems.add(
                        space.element,
                        f"{what} of '{space.name}' is used at line {seen[key].line} too",
                        seen[key],
                    )
                seen.setdefault(key, space.element)

    def _time_domains(self):
        schedule = self.system.schedule
        if schedule is None:
            for domain in self.system.domains:
                if domain.time_domain_name is not None:
                    self.problems.add(
                        domain.element, "the attribute 'domain' needs a <domains> element"
                    )
            return
        self._unique("domain", schedule.domains)
        self._number_time_domains(schedule)
        known = {domain.name: domain.id for domain in schedule.domains}
        for domain in self.system.domains:
            if domain.time_domain_name is None:
                self.problems.add(
                    domain.element,
                    f"'{domain.name}' needs domain='...': there is a <domains> element",
                )
            elif domain.time_domain_name in known:
                domain.time_domain = known[domain.time_domain_name]
            elif not self.problems.is_lost("domain", domain.time_domain_name):
                self.problems.add(
                    domain.element, f"no <domain> is named '{domain.time_domain_name}'"
                )
        self._slices(schedule, known)

    def _number_time_domains(self, schedule):
        """Domains without id get the lowest free ones, in the order of the description."""
        taken = {}
        for domain in schedule.domains:
            if domain.id is None:
                continue
            if domain.id in taken:
                self.problems.add(
                    domain.element,
                    f"id {domain.id} is that of the <domain> at line {taken[domain.id].line} too",
                    taken[domain.id],
                )
            taken.setdefault(domain.id, domain.element)
        free = (i for i in range(model.MAX_TIME_DOMAINS) if i not in taken)
        for domain in schedule.domains:
            if domain.id is None:
                domain.id = next(free, None)
                if domain.id is None:
                    self.problems.add(
                        domain.element, f"more than {model.MAX_TIME_DOMAINS} domains"
                    )
                    domain.id = 0

    def _slices(self, schedule, known):
        place = getattr(schedule, "schedule_element", schedule.element)
        count = len(schedule.slices)
        if count > model.MAX_SCHEDULE:
            self.problems.add(
                place, f"{count} schedule entries; at most {model.MAX_SCHEDULE} are allowed"
            )
        elif schedule.shift + count > model.MAX_SCHEDULE:
            self.problems.add(
                place,
                f"index_shift {schedule.shift} and {count} entries: "
                f"together at most {model.MAX_SCHEDULE}",
            )
        if schedule.start >= max(count, 1):
            self.problems.add(
                place, f"start_index {schedule.start}: must be below the {count} entries"
            )
        elif count and schedule.slices[schedule.start].domain_name is None:
            self.problems.add(place, f"start_index {schedule.start} is an end marker")
        for entry in schedule.slices:
            if entry.domain_name is None:
                continue
            if entry.domain_name not in known and not self.problems.is_lost(
                    "domain", entry.domain_name):
                self.problems.add(entry.element, f"no <domain> is named '{entry.domain_name}'")
            entry.domain = known.get(entry.domain_name, 0)
