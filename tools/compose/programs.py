# SPDX-License-Identifier: BSD-2-Clause
"""Loads each domain's program and writes into it what the description and the runtime ask
for."""
import struct

from compose.elf import ElfError, Program
from compose.files import find_file, not_found


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


# Of Nacre's library and its VMM alone: other programs need not have them.
def _optional_values(domain, config):
    cores = {irq.id: irq.core for irq in domain.irqs}
    values = {"microkit_printing": bytes([config.flavour == "debug"]),
              "nacre_irq_cores": bytes(cores.get(id, 0) for id in range(64))}
    if domain.guest is not None:
        values["guest_name"] = domain.guest.name.encode().ljust(64, b"\0")
        values["guest_rng"] = bytes([domain.guest.rng])
        values["guest_balloon"] = bytes([domain.guest.balloon])
    return values


class Loader:
    def __init__(self, system, problems, search_path, config):
        self.system = system
        self.config = config
        self.problems = problems
        self.search_path = search_path

    def _open(self, domain, name, with_symbols=True):
        path = find_file(name, self.search_path)
        if path is None:
            self.problems.add(
                domain.program_element,
                f"program {not_found(name, self.search_path)}",
            )
            return None
        try:
            with open(path, "rb") as file:
                return Program(file.read(), with_symbols)
        except ElfError as error:
            self.problems.add(domain.program_element, f"'{path}' {error}")
        except OSError as error:
            self.problems.add(
                domain.program_element, f"'{path}' cannot be read: {error.strerror}"
            )
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
        for symbol, value in _optional_values(domain, self.config).items():
            if symbol in symbols:
                self._patch_optional(domain, program, symbols, (symbol, value))
        for variable in domain.variables:
            if variable.value is None:
                continue
            try:
                program.patch(variable.symbol, struct.pack("<Q", variable.value), symbols)
            except ElfError as error:
                self.problems.add(
                    variable.element, f"program '{domain.program}' of '{domain.name}' {error}"
                )

    def _patch_optional(self, domain, program, symbols, change):
        try:
            program.patch(*change, symbols)
        except ElfError as error:
            self.problems.add(domain.program_element, f"'{domain.program}' {error}")

    def _check_place(self, domain, program):
        for segment in program.segments:
            start, end = segment.vaddr & ~0xFFF, (segment.end() + 0xFFF) & ~0xFFF
            if end > domain.limit():
                self.problems.add(
                    domain.program_element,
                    f"'{domain.program}' reaches into the stack of '{domain.name}'",
                )
            for record in domain.maps:
                if record.region is None:
                    continue
                if record.address < end and start < record.address + record.region.extent():
                    self.problems.add(
                        record.element,
                        f"'{record.region_name}' overlaps the program at 0x{start:x}..0x{end:x}",
                        record.region.element,
                    )

    def load(self):
        """domain name -> patched program; problems are recorded."""
        programs = {}
        for domain in self.system.domains:
            if domain.program is None:
                continue
            program = self._open(domain, domain.program, domain.program_symbols is None)
            twin = program
            if domain.program_symbols is not None:
                twin = self._open(domain, domain.program_symbols)
            if program is None or twin is None:
                continue
            self._patch(domain, program, twin.symbols)
            self._check_place(domain, program)
            program.names = program.functions(twin.symbols)
            programs[domain.name] = program
        return programs
