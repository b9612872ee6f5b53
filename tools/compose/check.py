# SPDX-License-Identifier: BSD-2-Clause
"""What one element alone cannot show: names, references, overlaps, sizes, priorities."""
import os

from compose import model


def find_file(path, search_paths):
    if os.path.isabs(path):
        return path if os.path.isfile(path) else None
    for folder in search_paths:
        candidate = os.path.join(folder, path)
        if os.path.isfile(candidate):
            return candidate
    return None


def _round_up(value, unit):
    return (value + unit - 1) // unit * unit


class Checker:
    def __init__(self, system, problems, search_paths):
        self.system = system
        self.problems = problems
        self.search_paths = search_paths

    def check(self):
        self._unique("memory_region", self.system.regions)
        self._unique("protection_domain", self.system.domains)
        self._unique("virtual_machine", [d.guest for d in self.system.domains if d.guest])
        for region in self.system.regions:
            self._region(region)
        self._fixed_overlaps()
        self._references()
        self._page_sizes()
        for domain in self.system.domains:
            self._domain(domain)
        self._vectors()
        self._ports()
        for channel in self.system.channels:
            self._channel(channel)
        self._channel_ids()
        self._variables()
        if not self.system.domains:
            self.problems.add(None, "no <protection_domain>; a system needs at least one")
        if len(self.system.domains) > model.MAX_DOMAINS:
            self.problems.add(
                self.system.domains[model.MAX_DOMAINS].element,
                f"more than {model.MAX_DOMAINS} protection domains",
            )

    def _unique(self, kind, records):
        seen = {}
        for record in records:
            if len(record.name.encode()) > 63 or not record.name:
                self.problems.add(record.element, f"name '{record.name}': must have 1 to 63 bytes")
            if kind == "protection_domain" and record.name == "monitor":
                self.problems.add(record.element, "the name 'monitor' is reserved; choose another")
            if record.name in seen:
                first = seen[record.name].element
                self.problems.add(
                    record.element,
                    f"second <{kind}> named '{record.name}'; the first is at line {first.line}",
                )
            seen.setdefault(record.name, record)

    def _region(self, region):
        unit = region.alignment()
        if region.prefill_path and region.bootinfo:
            self.problems.add(
                region.element,
                "prefill_path and prefill_bootinfo exclude each other",
            )
        if region.prefill_path:
            self._prefill(region)
        if region.size is None:
            if region.prefill_path:
                region.size = max(_round_up(len(region.data), unit), unit)
            elif region.bootinfo:
                region.size = unit
            else:
                self.problems.add(region.element, f"'{region.name}' needs a size or a prefill")
                region.size = unit
        if region.size == 0 or region.size % unit:
            self.problems.add(
                region.element,
                f"size of '{region.name}' is 0x{region.size:x}; "
                f"must be a multiple of 0x{unit:x} and not 0",
            )
            region.size = max(_round_up(region.size, unit), unit)
        if len(region.data) > region.size:
            self.problems.add(
                region.element,
                f"'{region.prefill_path}' has {len(region.data)} bytes, "
                f"'{region.name}' only {region.size}",
            )
        if region.paddr is not None and region.paddr % unit:
            self.problems.add(region.element, f"phys_addr must be a multiple of 0x{unit:x}")

    def _prefill(self, region):
        path = find_file(region.prefill_path, self.search_paths)
        if path is None:
            self.problems.add(
                region.element,
                f"file '{region.prefill_path}' not found in {', '.join(self.search_paths)}",
            )
            return
        with open(path, "rb") as file:
            region.data = file.read()
        if not region.data:
            self.problems.add(region.element, f"file '{path}' is empty")

    def _fixed_overlaps(self):
        fixed = sorted(
            (region for region in self.system.regions if region.paddr is not None),
            key=lambda region: region.paddr,
        )
        for first, second in zip(fixed, fixed[1:]):
            if first.paddr + first.size > second.paddr:
                self.problems.add(
                    second.element, f"'{second.name}' overlaps '{first.name}' in physical memory"
                )

    def _references(self):
        regions = {region.name: region for region in self.system.regions}
        domains = {domain.name: domain for domain in self.system.domains}
        for domain in self.system.domains:
            for record in domain.maps + (domain.guest.maps if domain.guest else []):
                record.region = regions.get(record.region_name)
                if record.region is None:
                    self.problems.add(
                        record.element, f"no <memory_region> is named '{record.region_name}'"
                    )
        for channel in self.system.channels:
            for end in channel.ends:
                end.domain = domains.get(end.domain_name)
                if end.domain is None:
                    self.problems.add(
                        end.element, f"no <protection_domain> is named '{end.domain_name}'"
                    )

    def _all_maps(self):
        for domain in self.system.domains:
            yield from domain.maps
            if domain.guest:
                yield from domain.guest.maps

    def _page_sizes(self):
        """2 MiB pages where nothing speaks against them and the description left it open."""
        for region in self.system.regions:
            if region.page_size is not None:
                continue
            places = [record.address for record in self._all_maps() if record.region is region]
            places += [region.size] + ([region.paddr] if region.paddr is not None else [])
            large = all(place % model.LARGE_PAGE == 0 for place in places)
            region.page_size = model.LARGE_PAGE if large else model.PAGE

    def _maps(self, records, limit):
        used = []
        for record in records:
            if record.region is None:
                continue
            unit = record.region.alignment()
            if record.address % unit:
                self.problems.add(
                    record.element,
                    f"vaddr 0x{record.address:x} must be a multiple of the page size 0x{unit:x}",
                )
            end = record.address + record.region.size
            if end > limit:
                self.problems.add(
                    record.element, f"the mapping ends at 0x{end:x}; the limit is 0x{limit:x}"
                )
            used.append((record.address, end, record))
        used.sort(key=lambda item: item[:2])
        for first, second in zip(used, used[1:]):
            if first[1] > second[0]:
                self.problems.add(
                    second[2].element,
                    f"'{second[2].region_name}' overlaps '{first[2].region_name}', "
                    f"which ends at 0x{first[1]:x}",
                )

    def _domain(self, domain):
        if domain.budget > domain.period:
            self.problems.add(domain.element, "budget must not be above period")
        if domain.stack_size % model.PAGE:
            self.problems.add(domain.element, "stack_size must be a multiple of 0x1000")
        self._maps(domain.maps, domain.limit())
        if domain.guest:
            self._maps(domain.guest.maps, model.GUEST_LIMIT)
        for record in domain.maps:
            if getattr(record, "needs_prefill", False) and record.region:
                if not record.region.prefill_path:
                    self.problems.add(
                        record.element,
                        f"setvar_prefill_size: '{record.region_name}' has no prefill_path",
                    )

    def _vectors(self):
        seen = {}
        for domain in self.system.domains:
            for irq in domain.irqs:
                if irq.vector in seen:
                    self.problems.add(
                        irq.element,
                        f"vector {irq.vector} is used by the <irq> "
                        f"at line {seen[irq.vector].line} too",
                    )
                seen.setdefault(irq.vector, irq.element)

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
        for first, second in zip(ranges, ranges[1:]):
            if first[1] > second[0]:
                self.problems.add(
                    second[2].element,
                    f"I/O ports overlap those of the <ioport> at line {first[2].element.line}",
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
            for channel in self.system.channels:
                users += [(end.id, end.element) for end in channel.ends if end.domain is domain]
            for identity, element in users:
                if identity in seen:
                    self.problems.add(
                        element,
                        f"id {identity} of '{domain.name}' is used "
                        f"at line {seen[identity].line} too",
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
