# SPDX-License-Identifier: BSD-2-Clause
"""Checks of memory: regions and their contents, mappings of domains, guests and devices."""
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


def not_found(path, search_paths):
    """Why find_file found none."""
    for folder in ([""] if os.path.isabs(path) else search_paths):
        candidate = os.path.join(folder, path)
        if os.path.isdir(candidate):
            return f"'{candidate}' is a directory"
        if os.path.exists(candidate):
            return f"'{candidate}' is not a regular file"
    return f"'{path}' not found in {', '.join(search_paths)}"


def _round_up(value, unit):
    return (value + unit - 1) // unit * unit


class MemoryChecker:
    def __init__(self, system, problems, search_paths):
        self.system = system
        self.problems = problems
        self.search_paths = search_paths

    def check(self):
        for region in self.system.regions:
            self._region(region)
        self._references()
        self.problems.end_step()
        self._fixed_overlaps()
        self._page_sizes()
        for domain in self.system.domains:
            self._maps(domain.maps, domain.limit())
            if domain.guest:
                self._maps(domain.guest.maps, model.GUEST_LIMIT)
            self._prefill_sizes(domain)
        for space in self.system.io_spaces:
            self._io_maps(space)
        self._unused()

    def _region(self, region):
        unit = region.alignment()
        if region.prefill_path and region.bootinfo:
            self.problems.add(
                region.element,
                "prefill_path and prefill_bootinfo exclude each other",
            )
        if region.prefill_path is not None:
            self._prefill(region)
        if region.size is None:
            if region.prefill_path is not None:
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
        if region.paddr is not None and region.paddr + region.size > model.PHYSICAL_LIMIT:
            self.problems.add(
                region.element,
                f"'{region.name}' ends at 0x{region.paddr + region.size:x}; "
                f"physical memory ends at 0x{model.PHYSICAL_LIMIT:x}",
            )

    def _prefill(self, region):
        path = find_file(region.prefill_path, self.search_paths)
        if path is None:
            self.problems.add(
                region.element,
                f"file {not_found(region.prefill_path, self.search_paths)}",
            )
            return
        try:
            with open(path, "rb") as file:
                region.data = file.read()
        except OSError as error:
            self.problems.add(region.element, f"file '{path}' cannot be read: {error.strerror}")
            return
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
                    second.element, f"'{second.name}' overlaps '{first.name}' in physical memory",
                    first.element,
                )

    def _references(self):
        regions = {region.name: region for region in self.system.regions}
        for record in [*self._all_maps(), *self._all_io_maps()]:
            record.region = regions.get(record.region_name)
            if record.region is None and not self.problems.is_lost(
                    "memory_region", record.region_name):
                self.problems.add(
                    record.element, f"no <memory_region> is named '{record.region_name}'"
                )

    def _all_maps(self):
        for domain in self.system.domains:
            yield from domain.maps
            if domain.guest:
                yield from domain.guest.maps

    def _all_io_maps(self):
        for space in self.system.io_spaces:
            yield from space.maps

    def _page_sizes(self):
        """2 MiB pages where nothing speaks against them and the description left it open."""
        for_devices = {id(record.region) for record in self._all_io_maps()}
        for region in self.system.regions:
            if region.page_size is not None:
                continue
            places = [record.address for record in self._all_maps() if record.region is region]
            places += [region.size] + ([region.paddr] if region.paddr is not None else [])
            large = all(place % model.LARGE_PAGE == 0 for place in places)
            large = large and id(region) not in for_devices
            region.page_size = model.LARGE_PAGE if large else model.PAGE

    def _overlaps(self, used):
        """Of (start, end, record), each one that begins before an earlier one ends."""
        used.sort(key=lambda item: item[:2])
        for first, second in zip(used, used[1:]):
            if first[1] > second[0]:
                self.problems.add(
                    second[2].element,
                    f"'{second[2].region_name}' overlaps '{first[2].region_name}', "
                    f"which ends at 0x{first[1]:x}",
                    first[2].element, first[2].region.element, second[2].region.element,
                )

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
                    record.region.element,
                )
            end = record.address + record.region.size
            if end > limit:
                self.problems.add(
                    record.element, f"the mapping ends at 0x{end:x}; the limit is 0x{limit:x}",
                    record.region.element,
                )
            used.append((record.address, end, record))
        self._overlaps(used)

    def _prefill_sizes(self, domain):
        for record in domain.maps:
            if getattr(record, "needs_prefill", False) and record.region:
                if record.region.prefill_path is None:
                    self.problems.add(
                        record.element,
                        f"setvar_prefill_size: '{record.region_name}' has no prefill_path",
                        record.region.element,
                    )

    def _io_maps(self, space):
        used = []
        for record in space.maps:
            if record.region is None:
                continue
            if record.region.page_size != model.PAGE:
                self.problems.add(
                    record.element,
                    f"'{record.region_name}' has pages of 2 MiB; "
                    "a device can only be given pages of 0x1000",
                    record.region.element,
                )
            if record.address % model.PAGE:
                self.problems.add(
                    record.element, f"iovaddr 0x{record.address:x} must be a multiple of 0x1000"
                )
            end = record.address + record.region.size
            if end > model.IO_LIMIT:
                self.problems.add(
                    record.element,
                    f"the mapping ends at 0x{end:x}; the limit is 0x{model.IO_LIMIT:x}",
                    record.region.element,
                )
            used.append((record.address, end, record))
        self._overlaps(used)

    def _unused(self):
        used = {id(record.region) for record in self._all_maps()}
        for region in self.system.regions:
            if id(region) not in used:
                self.problems.warn(region.element, f"'{region.name}' is mapped nowhere")
