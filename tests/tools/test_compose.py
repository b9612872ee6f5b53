# SPDX-License-Identifier: BSD-2-Clause
"""The composer's image: what its records say."""

import re
import struct
import unittest

from composing import DATA, MR, ROOT, RUNTIME_SYMBOLS, Composer, boards, channel, make_elf, pd
from compose import image, model  # isort: skip


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
        self.assertEqual(image.HEADER.unpack_from(data),
                         (b"NACRESYS", 2, len(image.TABLES), len(data), 0, 0))

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

    def test_variable_of_a_stated_value(self):
        data = self.accept(pd(inside='<setvar symbol="value" value="0x1234_5678_9abc"/>'))
        self.assertEqual(self.symbol(data, 0, "value", 8), struct.pack("<Q", 0x123456789abc))

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

    def test_children(self):
        data = self.accept(pd(inside=pd("b", id="5", setvar_id="value") + pd("c", id="6")))
        domains = self.table(data, image.DOMAIN)
        self.assertEqual([row[0].rstrip(b"\0") for row in domains], [b"a", b"b", b"c"])
        self.assertEqual([row[9:11] for row in domains], [(image.NONE, 0), (0, 5), (0, 6)])
        self.assertEqual([row[7] & image.CALLABLE for row in domains], [image.CALLABLE, 0, 0])
        self.assertEqual(self.symbol(data, 0, "value", 8), struct.pack("<Q", 5))

    def test_restart_policy(self):
        data = self.accept(pd(on_fault="restart", restart_limit="7", restart_backoff="20_000")
                           + pd("b", on_fault="restart") + pd("c"))
        domains = self.table(data, image.DOMAIN)
        self.assertEqual([row[7] & image.RESTART for row in domains],
                         [image.RESTART, image.RESTART, 0])
        self.assertEqual([row[12:14] for row in domains], [(7, 20000), (5, 100000), (0, 0)])

    def test_shared_capabilities(self):
        data = self.accept(pd() + pd("b", '<cspace><cap_vspace pd="a" slot="9"/></cspace>'))
        self.assertEqual(self.table(data, image.CAP), [(1, 9, 2, 0)])

    def test_io_spaces(self):
        data = self.accept(MR + '<io_address_space name="d" peripheral_id="1:2.3" domain_id="7">'
                           '<iomap mr="m" iovaddr="0x1000" perms="w"/></io_address_space>' + pd())
        space = self.table(data, image.IO_SPACE)[0]
        self.assertEqual((space[0].rstrip(b"\0"), *space[1:]), (b"d", 1 << 8 | 2 << 3 | 3, 7))
        self.assertEqual(self.table(data, image.IO_MAP), [(0, 0, image.WRITE, 0, 0x1000)])

    def test_schedule(self):
        data = self.accept(
            '<domains><domain name="x" id="1"/><domain name="y"/><domain_schedule start_index="1" '
            'index_shift="2"><schedule_end_marker/><schedule_entry domain="x" duration="8 us"/>'
            '<schedule_entry domain="y" duration="9 ticks"/></domain_schedule></domains>'
            + pd(domain="x"))
        self.assertEqual(image.HEADER.unpack_from(data)[4:], (1, 2))
        self.assertEqual(self.table(data, image.SLICE), [(0, 0, 0), (1, 1, 8), (0, 0, 9)])
        self.assertEqual(self.table(data, image.DOMAIN)[0][11], 1)

    def test_symbol_names(self):
        data = self.accept(pd())
        domain = self.table(data, image.DOMAIN)[0]
        offset, count, names_size = domain[5], domain[14], domain[15]
        names = data[offset + count * image.SYMBOL.size:][:names_size]
        found = [image.SYMBOL.unpack_from(data, offset + i * image.SYMBOL.size)
                 for i in range(count)]
        self.assertEqual([(address, size, names[at:names.index(b"\0", at)])
                          for address, size, at in found], [(0x200000, 16, b"start")])

    def test_only_a_debug_kernel_prints(self):
        symbols = dict(RUNTIME_SYMBOLS, microkit_printing=1)
        (self.path / "a.elf").write_bytes(make_elf(symbols))
        place = DATA + sum(RUNTIME_SYMBOLS.values())
        for name, expected in (("debug", 1), ("release", 0), ("benchmark", 0)):
            composed, problems = self.system(pd(), config=boards.CONFIGS[name])
            self.assertEqual(problems, [])
            segment = composed.programs["a"].segments[1]
            self.assertEqual(segment.data[place - segment.vaddr], expected, name)

    def test_monitors_know_their_guests_by_name(self):
        symbols = dict(RUNTIME_SYMBOLS, guest_name=64)
        (self.path / "a.elf").write_bytes(make_elf(symbols))
        place = DATA + sum(RUNTIME_SYMBOLS.values())
        guest = '<virtual_machine name="{}"><vcpu id="0"/></virtual_machine>'
        for name, expected in (("web", b"web"), ("n" * 63, b"n" * 63)):
            composed, problems = self.system(pd("a", guest.format(name)))
            self.assertEqual(problems, [])
            segment = composed.programs["a"].segments[1]
            found = bytes(segment.data[place - segment.vaddr:][:64])
            self.assertEqual(found, expected.ljust(64, b"\0"))

    def test_benchmark_gives_each_domain_its_thread(self):
        composed, _ = self.system(pd(), config=boards.CONFIGS["benchmark"])
        self.assertTrue(self.table(composed.image, image.DOMAIN)[0][7] & image.OWN_THREAD)

    def test_same_input_same_image(self):
        body = MR + pd() + pd("b")
        self.assertEqual(self.accept(body), self.accept(body))

    def test_records_match_the_header_file(self):
        text = "".join((ROOT / "src" / "root" / name).read_text()
                       for name in ("system_image.h", "system_rights.h"))
        sizes = dict(re.findall(r"_Static_assert\(sizeof\(struct system_(\w+)\) == (\d+)\)", text))
        names = ("domain", "segment", "region", "map", "irq", "port", "end", "guest", "cap",
                 "io_space", "io_map", "slice")
        self.assertEqual(image.SYMBOL.size, int(sizes["symbol"]))
        self.assertEqual(len(names), len(image.TABLES))
        for name, record in zip(names, image.TABLES):
            self.assertEqual(record.size, int(sizes[name]), name)


if __name__ == "__main__":
    unittest.main()
