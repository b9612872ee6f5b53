# SPDX-License-Identifier: BSD-2-Clause
"""Hardware reports become board files, and descriptions are checked against these."""

import contextlib
import io
import json
import unittest

from composing import VM, Composer, Problems, boards, channel, cli, files, pd
from compose.machine import BoardError, Machine  # isort: skip

from nacre.pc import board, inspector
from nacre.report import Failure

LOG = """
Nacre 0.1.0, debug build
cpu: family f, model 6b, stepping 1, microcode 1000065
ioapic 0: 24 pins at fec00000
clock: TSC 1000.000 MHz by HPET, ACPI timer 0 ppm, PIT 13 ppm
svm: on, nested paging, 16 ASIDs
cores: core 1, APIC id 1, microcode 1000065, TSC corrected by 0, up in 10140 us
selftest: quick: 6 passed, 0 failed, 1 not tried, in 14959 us
report: begin form=1
report: cpu vendor="AuthenticAMD" name="A CPU" signature=0x60fb1 address-bits=40 vt-x=0 amd-v=1
report: kernel cores=2 tsc-hz=1000000000 iommu-levels=3
report: firmware maker="SeaBIOS" version="1.16" date="04/01/2014"
report: machine maker="QEMU" product="Standard PC"
report: map base=0x0 length=0x9fc00 type=1
report: untyped base=0x100000 length=0xff00000 device=0
report: untyped base=0xfed00000 length=0x1000 device=1
report: untyped base=0xfebff000 length=0x1000 device=1
report: acpi address=0x1ffe2167 table="FACP" maker="BOCHS" length=244 revision=3
report: core apic=0 enabled=1
report: ioapic id=0 address=0xfec00000 first=0
report: pci function=00:04.0 vendor=8086 device=100e class=020000 group=4 pin=1 line=10
report: pci function=00:04.1 vendor=8086 device=100e class=020000 group=4 pin=1 line=10
report: bar function=00:04.0 number=0 kind=memory address=0xfebc0000 size=0x20000
report: pci function=00:1f.2 vendor=8086 device=2922 class=010601 group=31 pin=1 line=10
report: end
hello, world
"""
REGION = '<memory_region name="r" size="0x1000" phys_addr="{}"/>'


class Reports(unittest.TestCase):
    def refused(self, text, words):
        with self.assertRaises(Failure) as raised:
            board.of_log(text, "log")
        self.assertIn(words, str(raised.exception))

    def test_whole(self):
        found = board.of_log(LOG, "log")
        self.assertEqual((found["kernel"]["cores"], found["cpu"]["amd-v"]), (2, 1))
        self.assertEqual(found["ioapics"], [{"id": 0, "address": 0xfec00000, "first": 0,
                                             "pins": 24}])
        self.assertEqual([row["driver"] for row in found["pci"]],
                         ["e1000", "e1000", "ahci"])
        self.assertEqual(found["pci"][0]["bars"], [{"number": 0, "kind": "memory",
                                                    "address": 0xfebc0000, "size": 0x20000}])
        self.assertEqual(found["machine"], {"maker": "QEMU", "product": "Standard PC"})
        self.assertEqual(len(found["log"]), 6)
        text = "\n".join(board.shown(found))
        for words in ("machine: QEMU, Standard PC", "2 cores are up", "guests: AMD-V",
                      "255 MiB free", "PCI 00:1f.2: 8086:2922, class 0106, group 31: driver ahci",
                      "selftest: quick: 6 passed"):
            self.assertIn(words, text)

    def test_serial_line(self):
        """Returns, what others print, and a second report, which counts."""
        first = LOG.replace("cores=2", "cores=1")
        found = board.of_log((first + "[linux] noise\n" + LOG).replace("\n", "\r\n"), "log")
        self.assertEqual(found["kernel"]["cores"], 2)

    def test_refused(self):
        self.refused("nothing", "log: there is no report in it; boot the entry")
        self.refused(LOG.replace("report: end", ""), "log: the report has no end")
        self.refused(LOG.replace("form=1", "form=2"), "log:9: a report of form 2, not 1")
        self.refused(LOG.replace("address-bits=40", "addr[client] hi"), "log:10: not a line of a "
                     "report as it was printed")
        self.refused(LOG.replace("report: kernel", "rep"), "no line `report: kernel`")

    def test_incomplete_rows(self):
        """A line that lacks a number is named."""
        self.refused(LOG.replace(" class=020000", "", 1), "log:21: the line lacks class")


class Boards(Composer):
    def setUp(self):
        super().setUp()
        self.board = self.path / "board.json"
        self.board.write_text(json.dumps(board.of_log(LOG, "log")))

    def problems(self, body, change=None, attributes=""):
        """What is wrong with a system on the machine, and warnings."""
        machine = Machine(self.board)
        machine.path = "board"
        if change:
            change(machine)
        description = self.path / "test.system"
        description.write_text(f"<system{attributes}>\n{body}\n</system>")
        problems = Problems("test.system")
        with contextlib.chdir(self.path):
            cli.compose(str(description), files.SearchPath(["."], None), problems,
                        boards.DEFAULT_BOARD, boards.DEFAULT_CONFIG, {}, machine)
        return problems.texts(), problems.warning_texts()

    def check(self, body, words, **more):
        texts, _ = self.problems(body, **more)
        self.assertTrue(any(words in text and text.startswith("test.system:") for text in texts),
                        f"{words}: {texts}")

    def test_right(self):
        self.assertEqual(self.problems(
            REGION.format("0xfed00000") + pd("a", '<irq id="1" pin="23" vector="0"/>'
                                             '<map mr="r" vaddr="0x400000" perms="rw"/>')),
            ([], []))

    def test_addresses(self):
        self.check(REGION.format("0xfee00000") + pd(),
                   "test.system:2:1: memory region 'r' at 0xfee00000: on the machine of board no "
                   "program can have address 0xfee00000")

    def test_interrupts(self):
        self.check(pd("a", '<irq id="1" pin="24" vector="0"/>'),
                   "I/O APIC 0 pin 24: on the machine of board it has pins 0 to 23")
        self.check(pd("a", '<irq id="1" ioapic="1" pin="0" vector="0"/>'),
                   "the machine of board has I/O APICs 0 to 0")
        self.check(pd("a", '<irq id="1" pcidev="1:2.3" handle="0" vector="0"/>'),
                   "the machine of board has no PCI function 01:02.3")

    def test_cores(self):
        texts, warnings = self.problems(pd("a", cpu="2"))
        self.assertEqual(texts, [])
        self.assertIn("'a' is for core 2: the last core of the machine of board is 1", warnings[0])
        self.check(pd("a", cpu="2"), "the last core of the machine of board is 1",
                   attributes=' missing_cpu="refuse"')

    def test_guests(self):
        def without(machine):
            machine.has_guests = False
        self.check(pd("a", VM), "shows neither VT-x nor AMD-V", change=without)

    def test_memory(self):
        self.check('<memory_region name="r" size="0x20000000"/>' + pd(),
                   "its memory regions have 512 MiB: the machine of board has 255 MiB free")

    def two_drivers(self, one, other):
        return ('<memory_region name="m" size="0x1000" phys_addr="0x1000000"/>'
                '<memory_region name="grants" prefill_text="grant 1 ' + one + "&#10;grant 2 "
                + other + '"/>'
                + pd("pci", '<map mr="grants" vaddr="0x500000" setvar_vaddr="settings_vaddr"/>',
                     priority="3")
                + pd("b", '<dma mr="m" device="0" pci="pci"/>', priority="2")
                + pd("c", '<dma mr="m" device="0" pci="pci"/>', priority="2")
                + channel('pd="b" id="1" pp="true"', 'pd="pci" id="1"')
                + channel('pd="c" id="1" pp="true"', 'pd="pci" id="2"'))

    def test_devices(self):
        self.check(self.two_drivers("class=0106", "id=1234:5678"),
                   "'c': no PCI device of the machine of board fits 'id=1234:5678'")
        self.check(self.two_drivers("class=0106", "class=0106"),
                   "fits 'class=0106', or another domain has it")
        self.check(self.two_drivers("at=0:4.0", "at=00:04.1"),
                   "'c': its device 00:04.1 is in one group with 00:04.0 of 'b'")
        self.assertEqual(self.problems(self.two_drivers("class=0106", "class=0200"))[0], [])

    def test_files(self):
        for content, words in ((b"{", ":1: is no JSON"), (b"[]", "is no board file of form 1"),
                               (b"\xff", "is no text"), (b'{"form": 1}', "'kernel' has not")):
            self.board.write_bytes(content)
            with self.assertRaises(BoardError) as raised:
                Machine(self.board)
            self.assertIn(words, str(raised.exception))
        with self.assertRaises(BoardError):
            Machine(self.path / "none")


class Command(Composer):
    def test_log(self):
        log = self.path / "boot.log"
        log.write_text(LOG)

        class Options:
            output = self.path / "made.json"

        Options.log = log
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(inspector.run(Options), 0)
        self.assertIn("PCI 00:1f.2", said.getvalue())
        self.assertEqual(Machine(Options.output).cores, 2)
        Options.log = self.path / "missing"
        with self.assertRaises(Failure):
            inspector.run(Options)


if __name__ == "__main__":
    unittest.main()
