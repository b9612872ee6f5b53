# SPDX-License-Identifier: BSD-2-Clause
"""Small systems and programs for the composer's tests."""

import pathlib
import struct
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from compose import boards, cli, files, layout  # noqa: E402
from compose.problems import Problems  # noqa: E402

RUNTIME_SYMBOLS = {"microkit_name": 64, "microkit_passive": 1, "microkit_irqs": 8,
                   "microkit_notifications": 8, "microkit_pps": 8, "microkit_ioports": 8}
DATA = 0x201000


def make_elf(symbols):
    """A program with one code page and function, its symbols one after the other in .bss."""
    names, table, place = b"\0start\0", bytes(24), DATA
    table += struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0x200000, 16)
    for name, size in symbols.items():
        table += struct.pack("<IBBHQQ", len(names), 0x11, 0, 1, place, size)
        names += name.encode() + b"\0"
        place += size
    code = b"\xf4" * 16
    offset = 64 + 2 * 56
    body = code + table + names
    programs = struct.pack("<IIQQQQQQ", 1, 5, offset, 0x200000, 0x200000, 16, 16, 4096)
    programs += struct.pack("<IIQQQQQQ", 1, 6, offset, DATA, DATA, 0, place - DATA, 4096)
    sections = bytes(64)
    sections += struct.pack("<IIQQQQIIQQ", 0, 2, 0, 0, offset + 16, len(table), 2, 0, 8, 24)
    sections += struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, offset + 16 + len(table), len(names),
                            0, 0, 1, 0)
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, 0x200000, 64,
                         offset + len(body), 0, 64, 56, 2, 64, 3, 0)
    return header + programs + body + sections


class Composer(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        symbols = dict(RUNTIME_SYMBOLS, value=8, other=8, small=4, settings_vaddr=8)
        (self.path / "a.elf").write_bytes(make_elf(symbols))
        (self.path / "bare.elf").write_bytes(make_elf({"value": 8}))
        (self.path / "text").write_bytes(b"text")
        (self.path / "empty").write_bytes(b"")
        (self.path / "long").write_bytes(bytes(5000))

    def system(self, body, board=boards.DEFAULT_BOARD, config=boards.DEFAULT_CONFIG,
               attributes=""):
        """(composed system or None, problems)."""
        description = self.path / "test.system"
        description.write_text(f"<system{attributes}>\n{body}\n</system>")
        problems = Problems("test.system")
        folders = files.SearchPath([str(self.path)])
        composed = cli.compose(str(description), folders, problems, board, config)
        self.warnings = problems.warning_texts()
        return composed, problems.texts()

    def compose(self, body):
        composed, problems = self.system(body)
        return (composed.image if composed else None), problems

    def accept(self, body):
        data, problems = self.compose(body)
        self.assertEqual(problems, [], body)
        return data

    def table(self, data, record):
        """The records of an image."""
        tables = layout.HEADER.unpack_from(data).tables
        place = list(layout.TABLES).index(record) * layout.TABLE.size
        table = layout.TABLE.unpack_from(tables, place)
        self.assertEqual(table.record_size, record.size)
        return [record.unpack_from(data, table.offset + i * record.size)
                for i in range(table.count)]

    def refuse(self, body, words):
        data, problems = self.compose(body)
        self.assertIsNone(data, body)
        self.assertTrue(any(words in problem for problem in problems),
                        f"{body}: no '{words}' in {problems}")
        for problem in problems:
            self.assertRegex(problem, r"^test\.system:(\d+:\d+:)? ")


def pd(name="a", inside="", image_path="a.elf", **attributes):
    words = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return (f'<protection_domain name="{name}" {words}><program_image path="{image_path}"/>'
            f"{inside}</protection_domain>")


def channel(first, second):
    return f"<channel><end {first}/><end {second}/></channel>"


MR = '<memory_region name="m" size="0x1000"/>'
VM = '<virtual_machine name="v"><vcpu id="0"/></virtual_machine>'
