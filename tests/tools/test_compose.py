# SPDX-License-Identifier: BSD-2-Clause
"""The system composer: what it accepts, what it refuses and where, what stands in the image."""

import pathlib
import re
import struct
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from compose import cli, image, model  # noqa: E402
from compose.problems import Problems  # noqa: E402

RUNTIME_SYMBOLS = {"microkit_name": 64, "microkit_passive": 1, "microkit_irqs": 8,
                   "microkit_notifications": 8, "microkit_pps": 8, "microkit_ioports": 8}
DATA = 0x201000


def make_elf(symbols):
    """A program with one code page, and its symbols one after the other in .bss."""
    names, table, place = b"\0", bytes(24), DATA
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
        symbols = dict(RUNTIME_SYMBOLS, value=8, other=8, small=4)
        (self.path / "a.elf").write_bytes(make_elf(symbols))
        (self.path / "bare.elf").write_bytes(make_elf({"value": 8}))
        (self.path / "text").write_bytes(b"text")
        (self.path / "empty").write_bytes(b"")

    def compose(self, body):
        description = self.path / "test.system"
        description.write_text(f"<system>\n{body}\n</system>")
        problems = Problems("test.system")
        result = cli.compose(str(description), [str(self.path)], problems)
        return (result[0] if result else None), problems.texts()

    def accept(self, body):
        data, problems = self.compose(body)
        self.assertEqual(problems, [], body)
        return data

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

ACCEPTED = [
    pd(),
    pd(inside='<irq id="1" pcidev="1:2.3" handle="0" vector="0"/>'),
    pd(passive="true", inside='<irq id="1" pin="2" vector="107" trigger="edge"/>'),
    pd(inside=VM, priority="1") + pd("b", priority="2", passive="true")
    + channel('pd="a" id="0" pp="true" notify="false"', 'pd="b" id="0"'),
    '<memory_region name="m" size="0x1000" phys_addr="0x1000"/>'
    + pd(inside='<setvar symbol="value" region_paddr="m"/>'),
    '<memory_region name="m" prefill_path="text"/>' + pd(inside='<map mr="m" vaddr="0x400000"/>'),
    '<memory_region name="m" prefill_path="text" page_size="0x200000"/>' + pd(),
    '<memory_region name="m" prefill_path="text" size="0x3000"/>' + pd(),
    '<memory_region name="m" prefill_bootinfo="x86_tsc_freq"/>' + pd(),
    '<memory_region name="m" size="0x10_00"/>' + pd(),
    pd(inside='<ioport id="0" addr="0x3f8" size="8"/>'),
]

REFUSED = [
    ("", "no <protection_domain>"),
    ("text" + pd(), "text directly under <system>"),
    ("<nonsense/>" + pd(), "unknown element <nonsense>"),
    (VM + pd(), "unknown element <virtual_machine>"),
    ('<memory_region name="m" size="0x200_000sd"/>' + pd(), "must be a number"),
    ('<memory_region name="m" size="0x1000" page_size="0x200001"/>' + pd(), "page_size must be"),
    ('<memory_region name="m" size="0x1001"/>' + pd(), "multiple of 0x1000"),
    ('<memory_region name="m" size="0"/>' + pd(), "not 0"),
    ('<memory_region name="m" size="0x1000" phys_addr="0x10"/>' + pd(), "phys_addr must be"),
    ('<memory_region name="m"/>' + pd(), "needs a size or a prefill"),
    ('<memory_region size="0x1000"/>' + pd(), "needs the attribute 'name'"),
    ('<memory_region name="m" size="0x1000" colour="red"/>' + pd(), "unknown attribute 'colour'"),
    (MR + MR + pd(), "second <memory_region> named 'm'"),
    ('<memory_region name="m" size="0x2000" phys_addr="0x1000"/>'
     '<memory_region name="n" size="0x1000" phys_addr="0x2000"/>' + pd(), "overlaps 'm'"),
    ('<memory_region name="m" prefill_path="missing"/>' + pd(), "file 'missing' not found"),
    ('<memory_region name="m" prefill_path="empty"/>' + pd(), "is empty"),
    ('<memory_region name="m" prefill_path="text" prefill_bootinfo="fdt"/>' + pd(), "exclude"),
    ('<memory_region name="m" prefill_bootinfo="x"/>' + pd(), "must be one of"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" setvar_prefill_size="value"/>'),
     "has no prefill_path"),
    ('<protection_domain name="a"/>', "needs a <program_image"),
    (pd(inside='<program_image path="a.elf"/>'), "second <program_image>"),
    (pd(image_path="missing.elf"), "program 'missing.elf' not found"),
    (pd(image_path="text"), "is not an ELF file"),
    (pd(image_path="bare.elf"), "has no symbol 'microkit_name'"),
    (pd(inside='<map mr="m" vaddr="0x400000"/>'), "no <memory_region> is named 'm'"),
    (MR + pd(inside='<map mr="m" vaddr="0x400010"/>'), "must be a multiple of the page size"),
    (MR + pd(inside='<map mr="m" vaddr="0x7ffffffff000"/>'), "the limit is"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000"/><map mr="m" vaddr="0x400000"/>'), "overlaps"),
    (MR + pd(inside='<map mr="m" vaddr="0x200000"/>'), "overlaps the program"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" perms="w"/>'), "must be made of r, w and x"),
    (pd(budget="10", period="5"), "budget must not be above period"),
    (pd(priority="255"), "from 0 to 254"),
    (pd(cpu="1"), "from 0 to 0"),
    (pd(stack_size="0x1800"), "stack_size must be"),
    (pd(stack_size="0x100"), "from 4096"),
    (pd(fpu="maybe"), "'true' or 'false'"),
    (pd(smc="true"), "for Arm"),
    (pd() + pd(), "second <protection_domain> named 'a'"),
    (pd("monitor"), "reserved"),
    (pd("n" * 64), "1 to 63 bytes"),
    ("".join(pd(f"p{index}") for index in range(64)), "more than 63"),
    (pd(id="3"), "unknown attribute 'id'"),
    (pd(inside=pd("child", id="1")), "unknown element <protection_domain>"),
    (pd(inside='<irq id="62" pin="1" vector="1"/>'), "from 0 to 61"),
    (pd(inside='<irq id="-1" pin="1" vector="1"/>'), "must be a number"),
    (pd(inside='<irq irq="5" id="1"/>'), "Arm form"),
    (pd(inside='<irq id="1" vector="1"/>'), "needs pin="),
    (pd(inside='<irq id="1" pin="1" vector="1" trigger="up"/>'), "must be one of level, edge"),
    (pd(inside='<irq id="1" pin="1" vector="108"/>'), "from 0 to 107"),
    (pd(inside='<irq id="1" pcidev="100:0.0" handle="0" vector="1"/>'), "bus:device.function"),
    (pd(inside='<irq id="1" pcidev="0:0:0" handle="0" vector="1"/>'), "bus:device.function"),
    (pd(inside='<irq id="1" pin="1" vector="1"/><irq id="2" pin="2" vector="1"/>'), "vector 1"),
    (pd(inside='<irq id="1" pin="1" vector="1"/><irq id="1" pin="2" vector="2"/>'), "id 1 of"),
    (pd(inside='<ioport id="0" addr="0x60" size="0"/>'), "from 1"),
    (pd(inside='<ioport id="0" addr="0xffff" size="2"/>'), "passes the last I/O port"),
    (pd(inside='<ioport id="0" addr="0x60" size="4"/><ioport id="1" addr="0x62" size="1"/>'),
     "I/O ports overlap"),
    (pd(inside='<ioport id="0" addr="0x60" size="1"/><ioport id="0" addr="0x62" size="1"/>'),
     "used twice"),
    (pd(inside='<setvar symbol="value" region_paddr="m"/>'), "no <memory_region> is named 'm'"),
    (MR + pd(inside='<setvar symbol="value" region_paddr="m"/>'), "has no phys_addr"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" setvar_vaddr="value" setvar_size="value"/>'),
     "is set at line"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" setvar_vaddr="nowhere"/>'),
     "has no symbol 'nowhere'"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" setvar_vaddr="small"/>'), "must have 8"),
    (pd() + channel('pd="a" id="0"', 'pd="b" id="0"'), "no <protection_domain> is named 'b'"),
    (pd() + '<channel><end pd="a" id="0"/></channel>', "exactly two"),
    (pd() + '<channel><middle/></channel>', "unknown element <middle>"),
    (pd() + pd("b") + channel('pd="a" id="62"', 'pd="b" id="0"'), "from 0 to 61"),
    (pd() + pd("b") + channel('pd="a" id="0" pp="true"', 'pd="b" id="0" pp="true"'), "both ends"),
    (pd() + pd("b") + channel('pd="a" id="0" pp="true"', 'pd="b" id="0"'), "must be higher"),
    (pd() + pd("b") + channel('pd="a" id="0"', 'pd="b" id="0"') * 2, "id 0 of 'a'"),
    (pd(inside=VM, priority="2") + pd("b", priority="1")
     + channel('pd="a" id="0"', 'pd="b" id="0" pp="true"'), "cannot be called"),
    (pd(inside='<virtual_machine name="v"/>'), "0 <vcpu>"),
    (pd(inside='<virtual_machine name="v"><vcpu id="0"/><vcpu id="1"/></virtual_machine>'),
     "2 <vcpu>"),
    (pd(inside='<virtual_machine name="v"><vcpu id="62"/></virtual_machine>'), "from 0 to 61"),
    (pd(inside='<virtual_machine name="v" priority="1"><vcpu id="0"/></virtual_machine>'),
     "unknown attribute 'priority'"),
    (pd(inside=VM) + pd("b", inside=VM), "second <virtual_machine> named 'v'"),
    (pd(inside=VM + VM.replace("v\"", "w\"", 1)), "second <virtual_machine>"),
]


class Descriptions(Composer):
    """Descriptions that are right and descriptions that are not."""

    def test_accepted(self):
        for body in ACCEPTED:
            with self.subTest(body=body):
                self.accept(body)

    def test_refused(self):
        for body, words in REFUSED:
            with self.subTest(body=body):
                self.refuse(body, words)

    def test_all_problems_are_told(self):
        _, problems = self.compose(pd(priority="300", stack_size="1") + "<x/>")
        self.assertEqual(len(problems), 3)

    def test_malformed_xml(self):
        _, problems = self.compose("<memory_region")
        self.assertEqual(len(problems), 1)
        self.assertRegex(problems[0], r"^test\.system:3:\d+: not well-formed XML: ")

    def test_positions(self):
        _, problems = self.compose(pd() + '\n  <memory_region name="m"/>')
        self.assertTrue(problems[0].startswith("test.system:3:3: "), problems)


class Images(Composer):
    """What the records of an image say."""

    def table(self, data, record):
        index = image.TABLES.index(record)
        start = image.HEADER.size + index * image.TABLE.size
        offset, count, size = image.TABLE.unpack_from(data, start)
        self.assertEqual(size, record.size)
        return [record.unpack_from(data, offset + i * size) for i in range(count)]

    def symbol(self, data, domain, name, size):
        place = DATA
        for symbol, length in dict(RUNTIME_SYMBOLS, value=8, other=8, small=4).items():
            if symbol == name:
                break
            place += length
        for owner, access, vaddr, _, offset, stored in self.table(data, image.SEGMENT):
            if owner == domain and access & image.WRITE:
                content = data[offset:offset + stored].ljust(4096, b"\0")
                return content[place - vaddr:place - vaddr + size]
        return None

    def test_header(self):
        data = self.accept(pd())
        magic, version, tables, size = image.HEADER.unpack_from(data)
        self.assertEqual((magic, version, tables, size), (b"NACRESYS", 1, 8, len(data)))

    def test_runtime_symbols(self):
        data = self.accept(
            pd(inside='<irq id="3" pin="1" vector="1"/><ioport id="5" addr="1" size="1"/>')
            + pd("b", priority="9", passive="true")
            + channel('pd="a" id="1" pp="true"', 'pd="b" id="2" notify="false"'))
        self.assertEqual(self.symbol(data, 0, "microkit_name", 64).rstrip(b"\0"), b"a")
        self.assertEqual(self.symbol(data, 0, "microkit_irqs", 8)[0], 1 << 3)
        self.assertEqual(self.symbol(data, 0, "microkit_ioports", 8)[0], 1 << 5)
        self.assertEqual(self.symbol(data, 0, "microkit_pps", 8)[0], 1 << 1)
        self.assertEqual(self.symbol(data, 0, "microkit_notifications", 8)[0], 1 << 1)
        self.assertEqual(self.symbol(data, 1, "microkit_passive", 1), b"\1")
        self.assertEqual(self.symbol(data, 1, "microkit_notifications", 8)[0], 0)

    def test_variables(self):
        data = self.accept(
            '<memory_region name="m" prefill_path="text"/>'
            + pd(inside='<map mr="m" vaddr="0x40_0000" setvar_vaddr="value" '
                        'setvar_prefill_size="other"/>'))
        self.assertEqual(self.symbol(data, 0, "value", 8), struct.pack("<Q", 0x400000))
        self.assertEqual(self.symbol(data, 0, "other", 8), struct.pack("<Q", 4))

    def test_prefill(self):
        data = self.accept('<memory_region name="m" prefill_path="text"/>' + pd())
        region = self.table(data, image.REGION)[0]
        self.assertEqual(region[1], 0x1000)
        self.assertEqual(data[region[3]:region[3] + region[4]], b"text")
        self.assertEqual(region[3] % model.PAGE, 0)

    def test_large_pages_are_chosen(self):
        data = self.accept(
            '<memory_region name="ram" size="0x1000_0000"/>'
            + pd(inside='<map mr="ram" vaddr="0x8000_0000"/><virtual_machine name="v">'
                        '<vcpu id="0"/><map mr="ram" vaddr="0"/></virtual_machine>'))
        self.assertEqual(self.table(data, image.REGION)[0][5], 21)
        self.assertEqual(len(self.table(data, image.MAP)), 2)
        self.assertEqual(self.table(data, image.GUEST)[0][0].rstrip(b"\0"), b"v")

    def test_small_pages_where_a_mapping_is_unaligned(self):
        data = self.accept('<memory_region name="m" size="0x200000"/>'
                           + pd(inside='<map mr="m" vaddr="0x401000"/>'))
        self.assertEqual(self.table(data, image.REGION)[0][5], 12)

    def test_same_input_same_image(self):
        body = MR + pd() + pd("b")
        self.assertEqual(self.accept(body), self.accept(body))

    def test_records_match_the_header_file(self):
        text = (ROOT / "src" / "root" / "system_image.h").read_text()
        sizes = dict(re.findall(r"_Static_assert\(sizeof\(struct system_(\w+)\) == (\d+)\)", text))
        names = ("domain", "segment", "region", "map", "irq", "port", "end", "guest")
        for name, record in zip(names, image.TABLES):
            self.assertEqual(record.size, int(sizes[name]), name)


if __name__ == "__main__":
    unittest.main()
