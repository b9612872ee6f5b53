# SPDX-License-Identifier: BSD-2-Clause
"""Programs that lie about themselves, and whatever else is no program, are refused by name."""

import struct
import unittest

from composing import DATA, RUNTIME_SYMBOLS, Composer, make_elf, pd

HEADER_SIZE = 64
FIRST, SECOND = HEADER_SIZE, HEADER_SIZE + 56
# Field -> offset in a program header and its form.
PROGRAM_FIELDS = {"kind": (0, "<I"), "flags": (4, "<I"), "offset": (8, "<Q"), "vaddr": (16, "<Q"),
                  "file_size": (32, "<Q"), "memory_size": (40, "<Q")}
HEADER_FIELDS = {"type": (16, "<H"), "machine": (18, "<H"), "entry": (24, "<Q"),
                 "programs": (32, "<Q"), "sections": (40, "<Q"), "program_size": (54, "<H"),
                 "program_count": (56, "<H"), "section_size": (58, "<H"),
                 "section_count": (60, "<H")}


def changed(place, form, value):
    data = bytearray(make_elf(dict(RUNTIME_SYMBOLS, value=8)))
    struct.pack_into(form, data, place, value)
    return bytes(data)


def header(field, value):
    place, form = HEADER_FIELDS[field]
    return changed(place, form, value)


def program(at, field, value):
    place, form = PROGRAM_FIELDS[field]
    return changed(at + place, form, value)


LIES = [
    (b"", "is not an ELF file"),
    (b"#!/bin/sh\n" * 20, "is not an ELF file"),
    (changed(4, "<B", 1), "is not for 64-bit x86"),
    (changed(5, "<B", 2), "is not for 64-bit x86"),
    (header("machine", 183), "is not for 64-bit x86"),
    (header("type", 3), "is not a statically linked executable"),
    (header("entry", 0x100), "entry point outside its code"),
    (header("entry", DATA), "entry point outside its code"),
    (header("entry", 2**64 - 1), "entry point outside its code"),
    (header("programs", 2**64 - 8), "is shorter than its headers say"),
    (header("program_size", 8), "program headers of an unknown size"),
    (header("program_count", 0), "has nothing to load"),
    (header("program_count", 0xffff), "is shorter than its headers say"),
    (header("sections", 2**63), "is shorter than its headers say"),
    (header("section_size", 8), "section headers of an unknown size"),
    (header("section_count", 0), "has no symbol table"),
    (program(FIRST, "offset", 2**64 - 4), "is shorter than its headers say"),
    (program(FIRST, "file_size", 2**40), "has a malformed segment"),
    (program(FIRST, "memory_size", 4), "has a malformed segment"),
    (program(SECOND, "memory_size", 2**63), "has a malformed segment"),
    (program(SECOND, "memory_size", 2**64 - 1), "has a malformed segment"),
    (program(SECOND, "memory_size", 2**40), "at most 1 GiB load"),
    (program(SECOND, "vaddr", 2**64 - 16), "has a malformed segment"),
    (program(SECOND, "vaddr", 0x200800), "two segments on the page 0x200000"),
    (program(SECOND, "vaddr", 0x200000), "two segments on the page 0x200000"),
    (program(SECOND, "kind", 2), "outside its segments"),
    (program(FIRST, "flags", 4), "entry point outside its code"),
    (program(SECOND, "vaddr", 0x7FFFFFFFE000), "reaches into the stack"),
]


class Lies(Composer):
    """A changed byte in a good program is found out or does no harm."""

    def test_lies(self):
        for data, words in LIES:
            with self.subTest(words=words):
                (self.path / "lie.elf").write_bytes(data)
                self.refuse(pd(image_path="lie.elf"), words)

    def test_a_folder_is_named(self):
        (self.path / "folder.elf").mkdir()
        self.refuse(pd(image_path="folder.elf"), "folder.elf' is a directory")
        self.refuse('<memory_region name="m" prefill_path="folder.elf"/>' + pd(), "is a directory")

    def test_cut_anywhere(self):
        data = make_elf(dict(RUNTIME_SYMBOLS, value=8))
        for size in range(0, len(data), 7):
            (self.path / "lie.elf").write_bytes(data[:size])
            composed, problems = self.system(pd(image_path="lie.elf"))
            self.assertTrue(composed or problems)

    def test_any_byte(self):
        good = make_elf(dict(RUNTIME_SYMBOLS, value=8))
        for place in range(len(good)):
            for value in (0xFF, 0x80, 0):
                data = bytearray(good)
                data[place] = value
                (self.path / "lie.elf").write_bytes(data)
                composed, problems = self.system(pd(image_path="lie.elf"))
                self.assertTrue(composed or problems, place)

    def test_symbols_of_an_unstripped_twin(self):
        stripped = header("section_count", 0)
        (self.path / "stripped.elf").write_bytes(stripped)
        body = ('<protection_domain name="a"><program_image path="stripped.elf" '
                'path_for_symbols="a.elf"/></protection_domain>')
        self.accept(body)
        self.refuse(body.replace('path_for_symbols="a.elf"', ""), "has no symbol table")
        self.refuse(body.replace("a.elf", "nowhere.elf"), "'nowhere.elf' not found")

    def test_a_symbol_that_stands_twice(self):
        data = make_elf(dict(RUNTIME_SYMBOLS, value=8, valu2=8)).replace(b"valu2", b"value")
        (self.path / "twice.elf").write_bytes(data)
        self.refuse('<memory_region name="m" size="0x1000"/>'
                    + pd(image_path="twice.elf",
                         inside='<map mr="m" vaddr="0x400000" setvar_vaddr="value"/>'),
                    "2 times; it must be unique")


if __name__ == "__main__":
    unittest.main()
