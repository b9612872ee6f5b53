# SPDX-License-Identifier: BSD-2-Clause
"""Programs: loadable segments of a 64-bit x86 executable, and its symbols, to patch values
in."""
import struct

from compose import sizes

MAX_SEGMENT = 1 << 30
EXECUTABLE, PT_LOAD, SYMBOL_TABLE = 2, 1, 2
PLAIN, OBJECT, FUNCTION = 0, 1, 2
# What linker scripts define at the borders of the text; no functions.
BORDERS = {"_text", "_text_end", "_etext", "etext", "__executable_start", "__etext"}


class ElfError(Exception):
    pass


class Segment:
    def __init__(self, vaddr, data, memory_size, flags):
        self.vaddr = vaddr
        self.data = bytearray(data)
        self.memory_size = memory_size
        self.writable = bool(flags & 2)
        self.executable = bool(flags & 1)

    def end(self):
        return self.vaddr + self.memory_size


class Program:
    def __init__(self, data, with_symbols=True):
        self.data = data
        if len(data) < 64 or data[:4] != b"\x7fELF":
            raise ElfError("is not an ELF file")
        if data[4] != 2 or data[5] != 1 or self._get("<H", 18) != 62:
            raise ElfError("is not for 64-bit x86")
        if self._get("<H", 16) != EXECUTABLE:
            raise ElfError("is not a statically linked executable")
        self.entry = self._get("<Q", 24)
        self.segments = self._segments()
        self.symbols = self._symbols() if with_symbols else {}

    def _get(self, form, offset):
        return struct.unpack(form, self._bytes(offset, struct.calcsize(form)))[0]

    def _bytes(self, offset, size):
        if offset + size > len(self.data):
            raise ElfError("is shorter than its headers say")
        return self.data[offset : offset + size]

    def _segments(self):
        offset, count = self._get("<Q", 32), self._get("<H", 56)
        if count and self._get("<H", 54) != 56:
            raise ElfError("has program headers of an unknown size")
        segments = []
        for index in range(count):
            fields = struct.unpack("<IIQQQQQQ", self._bytes(offset + index * 56, 56))
            kind, flags, data_offset, vaddr, _, file_size, memory_size, _ = fields
            if kind != PT_LOAD or memory_size == 0:
                continue
            if file_size > memory_size or vaddr + memory_size >= 1 << 47:
                raise ElfError(f"has a malformed segment at 0x{vaddr:x}")
            if memory_size > MAX_SEGMENT:
                raise ElfError(
                    f"has a segment of {sizes.rounded(memory_size)}; "
                    f"at most {sizes.rounded(MAX_SEGMENT)} load"
                )
            segments.append(
                Segment(vaddr, self._bytes(data_offset, file_size), memory_size, flags)
            )
        segments.sort(key=lambda segment: segment.vaddr)
        if not segments:
            raise ElfError("has nothing to load")
        for first, second in zip(segments, segments[1:]):
            if (first.end() + 0xFFF) // 0x1000 > second.vaddr // 0x1000:
                raise ElfError(f"has two segments on the page 0x{second.vaddr & ~0xFFF:x}")
        if not any(s.executable and s.vaddr <= self.entry < s.end() for s in segments):
            raise ElfError("has its entry point outside its code")
        return segments

    def _sections(self):
        offset, size, count = self._get("<Q", 40), self._get("<H", 58), self._get("<H", 60)
        if count and size != 64:
            raise ElfError("has section headers of an unknown size")
        return [
            struct.unpack("<IIQQQQIIQQ", self._bytes(offset + index * size, 64))
            for index in range(count)
        ]

    def _symbols(self):
        """name -> list of (address, size, kind); a name may appear several times."""
        sections = self._sections()
        tables = [section for section in sections if section[1] == SYMBOL_TABLE]
        if not tables:
            raise ElfError("has no symbol table; strip less, or name an unstripped twin")
        symbols = {}
        for header in tables:
            table = self._bytes(header[4], header[5])
            if header[6] >= len(sections):
                raise ElfError("has a symbol table without names")
            names_header = sections[header[6]]
            names = self._bytes(names_header[4], names_header[5])
            for place in range(0, len(table) - 23, 24):
                fields = struct.unpack_from("<IBBHQQ", table, place)
                name_at, info, _, section, value, length = fields
                if section == 0 or info & 0xF > FUNCTION:
                    continue
                end = names.find(b"\0", name_at)
                if end < 0:
                    raise ElfError("has a symbol whose name never ends")
                name = names[name_at:end].decode(errors="replace")
                symbols.setdefault(name, []).append((value, length, info & 0xF))
        return symbols

    def functions(self, symbols=None):
        """(address, size, name) of what a backtrace can name, by address."""
        found = []
        for name, places in (symbols or self.symbols).items():
            for address, size, kind in places:
                inside = any(s.executable and s.vaddr <= address < s.end() for s in self.segments)
                named = name and name[0] not in "$." and name.isprintable() and name not in BORDERS
                if inside and named and kind in (PLAIN, FUNCTION):
                    found.append((address, min(size, 0xFFFFFFFF), name))
        return sorted(found)

    def patch(self, symbol, value, symbols=None):
        """Write bytes over the symbol's storage. `symbols` may come from an unstripped twin."""
        found = (symbols or self.symbols).get(symbol, [])
        if not found:
            raise ElfError(f"has no symbol '{symbol}'")
        if len(found) > 1:
            raise ElfError(f"has the symbol '{symbol}' {len(found)} times; it must be unique")
        address, size, _ = found[0]
        if size != len(value):
            raise ElfError(
                f"has the symbol '{symbol}' with {size} bytes; it must have {len(value)}"
            )
        for segment in self.segments:
            if segment.vaddr <= address and address + size <= segment.end():
                start = address - segment.vaddr
                if len(segment.data) < start + size:
                    segment.data.extend(bytes(start + size - len(segment.data)))
                segment.data[start : start + size] = value
                return
        raise ElfError(f"has the symbol '{symbol}' outside its segments")
