# SPDX-License-Identifier: BSD-2-Clause
"""Loads each domain's program and writes into it what the description and the runtime ask
for."""
import struct

from compose.check import find_file
from compose.elf import ElfError, Program


def _bitmap(identities):
    value = 0
    for identity in identities:
        value |= 1 << identity
    return struct.pack("<Q", value)


def _runtime_values(domain, channels):
    ends = [end for channel in channels for end in channel.ends if end.domain is domain]
    return {
        "microkit_name": domain.name.encode().ljust(64, b"\0"),
        "microkit_passive": bytes([domain.passive]),
        "microkit_irqs": _bitmap(irq.id for irq in domain.irqs),
        "microkit_notifications": _bitmap(end.id for end in ends if end.notify),
        "microkit_pps": _bitmap(end.id for end in ends if end.call),
        "microkit_ioports": _bitmap(port.id for port in domain.ports),
    }


class Loader:
    def __init__(self, system, problems, search_paths):
        self.system = system
        self.problems = problems
        self.search_paths = search_paths

    def _open(self, domain, name):
        path = find_file(name, self.search_paths)
        if path is None:
            self.problems.add(
                domain.program_element,
                f"program '{name}' not found in {', '.join(self.search_paths)}",
            )
            return None
        with open(path, "rb") as file:
            try:
                return Program(file.read())
            except ElfError as error:
                self.problems.add(domain.program_element, f"'{path}' {error}")
        return None

    def _patch(self, domain, program, symbols):
        for symbol, value in _runtime_values(domain, self.system.channels).items():
            try:
                program.patch(symbol, value, symbols)
            except ElfError as error:
                self.problems.add(
                    domain.program_element,
                    f"'{domain.program}' {error}; link libmicrokit.a",
                )
        for variable in domain.variables:
            value = variable.value() if callable(variable.value) else variable.value
            try:
                program.patch(variable.symbol, struct.pack("<Q", value), symbols)
            except ElfError as error:
                self.problems.add(
                    variable.element, f"program '{domain.program}' of '{domain.name}' {error}"
                )

    def _check_place(self, domain, program):
        for segment in program.segments:
            start, end = segment.vaddr & ~0xFFF, (segment.end() + 0xFFF) & ~0xFFF
            if end > domain.limit():
                self.problems.add(
                    domain.program_element,
                    f"'{domain.program}' reaches into the stack of '{domain.name}'",
                )
            for record in domain.maps:
                if record.address < end and start < record.address + record.region.size:
                    self.problems.add(
                        record.element,
                        f"'{record.region_name}' overlaps the program at 0x{start:x}..0x{end:x}",
                    )

    def load(self):
        """domain name -> patched program; problems are recorded."""
        programs = {}
        for domain in self.system.domains:
            program = self._open(domain, domain.program)
            symbols = None
            if program and domain.program_symbols:
                twin = self._open(domain, domain.program_symbols)
                symbols = twin.symbols if twin else None
            if program is None:
                continue
            self._patch(domain, program, symbols)
            self._check_place(domain, program)
            programs[domain.name] = program
        return programs
