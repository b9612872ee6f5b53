# SPDX-License-Identifier: BSD-2-Clause
"""The composer's image: what its records say."""

import pathlib
import struct
import subprocess
import tempfile
import unittest

from composing import DATA, MR, ROOT, RUNTIME_SYMBOLS, Composer, boards, channel, make_elf, pd
from compose import contract, layout, layout_header, model, sizes  # isort: skip
from compose.layout import ACCESS, TABLES  # isort: skip
from compose.layout import DOMAIN_FLAGS as FLAGS  # isort: skip
from nacre import places


class Images(Composer):
    """What the records of an image say."""

    def symbol(self, data, domain, name, size):
        place = DATA
        for symbol, length in dict(RUNTIME_SYMBOLS, value=8, other=8, small=4).items():
            if symbol == name:
                break
            place += length
        for segment in self.table(data, layout.SEGMENT):
            if segment.domain == domain and segment.access & ACCESS.WRITE:
                content = data[segment.data_offset:][:segment.data_size].ljust(4096, b"\0")
                return content[place - segment.vaddr:][:size]
        return None

    def test_header(self):
        data = self.accept(pd())
        self.assertEqual(layout.HEADER.unpack_from(data)[:-1],
                         (b"NACRESYS", 5, len(TABLES), len(data), 0, 0))

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
        region = self.table(data, layout.REGION)[0]
        self.assertEqual(region.size, 0x1000)
        self.assertEqual(data[region.data_offset:][:region.data_size], b"text")
        self.assertEqual(region.data_offset % model.PAGE, 0)

    def test_large_pages_are_chosen(self):
        data = self.accept(
            '<memory_region name="ram" size="0x1000_0000"/>'
            + pd(inside='<map mr="ram" vaddr="0x8000_0000"/><virtual_machine name="v">'
                        '<vcpu id="0"/><map mr="ram" vaddr="0"/></virtual_machine>'))
        self.assertEqual(self.table(data, layout.REGION)[0].page_bits, 21)
        self.assertEqual(len(self.table(data, layout.MAP)), 2)
        self.assertEqual(self.table(data, layout.GUEST)[0].name.rstrip(b"\0"), b"v")

    def test_small_pages_where_a_mapping_is_unaligned(self):
        data = self.accept('<memory_region name="m" size="0x200000"/>'
                           + pd(inside='<map mr="m" vaddr="0x401000"/>'))
        self.assertEqual(self.table(data, layout.REGION)[0].page_bits, 12)

    def test_children(self):
        data = self.accept(pd(inside=pd("b", id="5", setvar_id="value") + pd("c", id="6")))
        domains = self.table(data, layout.DOMAIN)
        self.assertEqual([row.name.rstrip(b"\0") for row in domains], [b"a", b"b", b"c"])
        self.assertEqual([(row.parent, row.child_id) for row in domains],
                         [(layout.NONE, 0), (0, 5), (0, 6)])
        self.assertEqual([row.flags & FLAGS.CALLABLE for row in domains], [FLAGS.CALLABLE, 0, 0])
        self.assertEqual(self.symbol(data, 0, "value", 8), struct.pack("<Q", 5))

    def test_restart_policy(self):
        data = self.accept(pd(on_fault="restart", restart_limit="7", restart_backoff="20_000")
                           + pd("b", on_fault="restart") + pd("c"))
        domains = self.table(data, layout.DOMAIN)
        self.assertEqual([row.flags & FLAGS.RESTART for row in domains],
                         [FLAGS.RESTART, FLAGS.RESTART, 0])
        self.assertEqual([(row.restart_limit, row.restart_backoff) for row in domains],
                         [(7, 20000), (5, 100000), (0, 0)])

    def test_shared_capabilities(self):
        data = self.accept(pd() + pd("b", '<cspace><cap_vspace pd="a" slot="9"/></cspace>'))
        self.assertEqual(self.table(data, layout.CAP), [(1, 9, 2, 0)])

    def test_io_spaces(self):
        data = self.accept(MR + '<io_address_space name="d" peripheral_id="1:2.3" domain_id="7">'
                           '<iomap mr="m" iovaddr="0x1000" perms="w"/></io_address_space>' + pd())
        space = self.table(data, layout.IO_SPACE)[0]
        self.assertEqual((space[0].rstrip(b"\0"), *space[1:]),
                         (b"d", 1 << 8 | 2 << 3 | 3, 7, layout.NONE, 0, 0, 0, 0, 0,
                          layout.NONE, 0, 0))
        self.assertEqual(self.table(data, layout.IO_MAP), [(0, 0, ACCESS.WRITE, 0, 0x1000)])

    def test_devices_of_domains(self):
        """A space for each, by the grant that the PCI component finds the device by; its memory is
        at its own addresses."""
        data = self.accept(
            '<memory_region name="m" size="0x2000" phys_addr="0x10000000"/>'
            '<memory_region name="n" size="0x200000" phys_addr="0x20000000"/>'
            '<io_address_space name="d" peripheral_id="1:2.3" domain_id="1"/>'
            '<memory_region name="grants" prefill_text="grant 3 class=0106 # the disk&#10;'
            'grant 2 class=0200&#10;grant 3 id=1234:11e8 msi=5&#10;"/>'
            + pd("pci", '<map mr="grants" vaddr="0x500000" setvar_vaddr="settings_vaddr"/>',
                 priority="2")
            + pd("driver", '<dma mr="m" perms="r"/><dma mr="n" device="1" shared_group="true"/>'
                           '<dma mr="n"/>')
            + '<channel><end pd="driver" id="1" pp="true"/><end pd="pci" id="3"/></channel>')
        spaces = [(space[0].rstrip(b"\0"), *space[1:])
                  for space in self.table(data, layout.IO_SPACE)]
        self.assertEqual(spaces[1:], [(b"driver", 0, 2, 1, 3, 0, 2, 0, 0, layout.NONE, 0, 0),
                                      (b"driver device 1", 0, 3, 1, 3, 1, 2, 1, 0,
                                       layout.NONE, 0, 0)])
        self.assertEqual(self.table(data, layout.IO_MAP), [
            (1, 0, ACCESS.READ, 0, 0x10000000),
            (1, 1, ACCESS.READ | ACCESS.WRITE, 0, 0x20000000),
            (2, 1, ACCESS.READ | ACCESS.WRITE, 0, 0x20000000)])
        self.assertEqual([region.page_bits for region in self.table(data, layout.REGION)],
                         [12, 12, 12])

    def test_schedule(self):
        data = self.accept(
            '<domains><domain name="x" id="1"/><domain name="y"/><domain_schedule start_index="1" '
            'index_shift="2"><schedule_end_marker/><schedule_entry domain="x" duration="8 us"/>'
            '<schedule_entry domain="y" duration="9 ticks"/></domain_schedule></domains>'
            + pd(domain="x"))
        header = layout.HEADER.unpack_from(data)
        self.assertEqual((header.schedule_start, header.schedule_shift), (1, 2))
        self.assertEqual(self.table(data, layout.SLICE), [(0, 0, 0), (1, 1, 8), (0, 0, 9)])
        self.assertEqual(self.table(data, layout.DOMAIN)[0].time_domain, 1)

    def test_symbol_names(self):
        data = self.accept(pd())
        domain = self.table(data, layout.DOMAIN)[0]
        size, count = layout.SYMBOL.size, domain.symbol_count
        names = data[domain.symbols_offset + count * size:][:domain.names_size]
        found = [layout.SYMBOL.unpack_from(data, domain.symbols_offset + i * size)
                 for i in range(count)]
        self.assertEqual([(address, size, names[at:names.index(b"\0", at)])
                          for address, size, at in found], [(0x200000, 16, b"start")])

    def test_cores_of_interrupts(self):
        symbols = dict(RUNTIME_SYMBOLS, nacre_irq_cores=64)
        (self.path / "a.elf").write_bytes(make_elf(symbols))
        place = DATA + sum(RUNTIME_SYMBOLS.values())
        irqs = ('<irq id="3" pcidev="0:1.0" handle="0" vector="3"/>'
                '<irq id="4" pcidev="0:1.1" handle="0" vector="4" cpu="1"/>')
        composed, problems = self.system(pd(cpu="2", inside=irqs))
        self.assertEqual(problems, [])
        segment = composed.programs["a"].segments[1]
        found = bytes(segment.data[place - segment.vaddr:][:64])
        self.assertEqual(found, bytes([0, 0, 0, 2, 1]).ljust(64, b"\0"))

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

    def test_monitors_know_which_devices_their_guest_is_to_have(self):
        symbols = dict(RUNTIME_SYMBOLS, guest_rng=1, guest_balloon=1)
        (self.path / "a.elf").write_bytes(make_elf(symbols))
        guest = '<virtual_machine name="web"{}><vcpu id="0"/></virtual_machine>'
        for index, name in enumerate(("rng", "balloon")):
            place = DATA + sum(RUNTIME_SYMBOLS.values()) + index
            for attribute, expected in (("", 0), (f' {name}="true"', 1), (f' {name}="false"', 0)):
                composed, problems = self.system(pd("a", guest.format(attribute)))
                self.assertEqual(problems, [])
                segment = composed.programs["a"].segments[1]
                self.assertEqual(segment.data[place - segment.vaddr], expected)

    def test_benchmark_gives_each_domain_its_thread(self):
        composed, _ = self.system(pd(), config=boards.CONFIGS["benchmark"])
        self.assertTrue(self.table(composed.image, layout.DOMAIN)[0].flags & FLAGS.OWN_THREAD)

    def test_same_input_same_image(self):
        body = MR + pd() + pd("b")
        self.assertEqual(self.accept(body), self.accept(body))

    def test_more_records_than_the_initial_task_takes(self):
        maps = "".join(f'<map mr="m" vaddr="{0x400000 + i * 0x1000:#x}"/>' for i in range(4097))
        self.refuse(MR + pd(inside=maps), "4097 maps: at most 4096 are allowed")
        self.accept(MR + pd(inside=maps.replace('<map mr="m" vaddr="0x400000"/>', "")))


class Sizes(unittest.TestCase):
    def test_exact_ones(self):
        for size, text in ((0, "0 bytes"), (1000, "1000 bytes"), (4097, "4097 bytes"),
                           (4096, "4 KiB"), (0x101000, "1028 KiB"), (3 << 20, "3 MiB"),
                           (1 << 30, "1 GiB")):
            self.assertEqual(sizes.exact(size), text)

    def test_rounded_ones(self):
        for size, text in ((1000, "1000 bytes"), (4097, "4.0 KiB"), (4096, "4 KiB"),
                           (3 << 19, "1.5 MiB"), (5 << 29, "2.5 GiB")):
            self.assertEqual(sizes.rounded(size), text)


class Layout(unittest.TestCase):
    """The composer's records and the initial task's are of one description."""

    def compiles(self, text):
        return subprocess.run(["gcc", "-std=gnu2x", "-fsyntax-only", "-x", "c", "-"], input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False).returncode == 0

    def test_offsets_of_c_are_the_composers(self):
        header = layout_header.header().replace("#pragma once\n", "")
        rows = "".join(f'printf("{record.name} {name} %zu\\n", '
                       f"offsetof(struct system_{record.name}, {name}));"
                       for record in layout.RECORDS for name in record.names)
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "offsets"
            subprocess.run(["gcc", "-std=gnu2x", "-x", "c", "-", "-o", program], check=True,
                           input=f"#include <stdio.h>\n{header}\nint main(void) {{ {rows} }}",
                           text=True)
            said = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertEqual(said.splitlines(), [f"{record.name} {name} {record.offset(name)}"
                                             for record in layout.RECORDS for name in record.names])

    def test_two_fields_swapped_on_one_side(self):
        header = layout_header.header()
        self.assertTrue(self.compiles(header))
        for first, second in (("budget; // microseconds", "period;"), ("symbols_offset", "entry"),
                              ("priority", "flags"), ("first", "last")):
            words = (f" {first}", f" {second}")
            at = [header.index(f"_t{word}") + 2 for word in words]
            begin, end = min(at), max(at)
            one, two = sorted(words, key=lambda word: header.index(f"_t{word}"))
            swapped = (header[:begin] + two + header[begin + len(one):end] + one
                       + header[end + len(two):])
            with self.subTest(first=first):
                self.assertNotEqual(swapped, header)
                self.assertFalse(self.compiles(swapped))

    def test_the_build_has_this_header(self):
        made = places.BUILD / "src" / "root" / "system_image.h"
        if not made.exists():
            self.skipTest("there is no build")
        self.assertEqual(made.read_text(), layout_header.header())

    def test_a_record_needs_every_field(self):
        with self.assertRaises(KeyError):
            layout.PORT.pack(domain=1, id=2, first=3)

    def test_numbers_of_headers(self):
        self.assertEqual((contract.ABI.TCB_BITS, contract.ABI.MICROKIT_MAX_CHANNELS), (11, 62))
        for header in contract.HEADERS:
            self.assertTrue((ROOT / header).is_file(), header)


if __name__ == "__main__":
    unittest.main()
