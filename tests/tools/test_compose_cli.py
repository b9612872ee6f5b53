# SPDX-License-Identifier: BSD-2-Clause
"""The composer's command: the Microkit tool's options, what is written, and how it fails."""

import json
import os
import re
import struct
import subprocess
import sys
import unittest

from composing import MR, ROOT, VM, Composer, channel, make_elf, pd
from compose import bundle  # isort: skip
from compose.elf import Program  # isort: skip

TOOL = ROOT / "tools" / "compose.py"
BASE = ["--board", "x86_64_generic_vtx", "--config", "debug"]


class Command(Composer):
    """Runs the tool as a Makefile would."""

    def setUp(self):
        super().setUp()
        self.out = self.path / "out"
        self.out.mkdir()
        self.sdk = self.path / "sdk"
        for board in ("x86_64_generic", "x86_64_generic_vtx"):
            for config in ("debug", "release", "benchmark"):
                folder = self.sdk / "board" / board / config / "elf"
                folder.mkdir(parents=True)
                (folder / "sel4.elf").write_bytes(make_elf({}))
                (folder / "initialiser.elf").write_bytes(make_elf({bundle.SYMBOL: 16}))
        (self.path / "test.system").write_text(
            "<system>" + MR + pd(inside=VM, priority="1")
            + pd("b", priority="2", passive="true")
            + channel('pd="a" id="0" pp="true"', 'pd="b" id="3"') + "</system>")

    def run_tool(self, *words, path=None):
        environment = {**os.environ, "MICROKIT_SDK": str(self.sdk), "PATH": path or
                       os.environ["PATH"]}
        return subprocess.run([sys.executable, "-B", str(TOOL), *words], cwd=self.path,
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)

    def test_help(self):
        for word in ("-h", "--help"):
            result = self.run_tool(word)
            self.assertEqual(result.returncode, 0)
            self.assertIn("--search-path", result.stdout)

    def test_defaults(self):
        result = self.run_tool("test.system", *BASE)
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in ("loader.img", "report.txt", "sel4.elf", "sel4_32.elf"):
            self.assertTrue((self.path / name).is_file(), name)
        lines = [line for line in result.stdout.splitlines() if line.startswith("MICROKIT|")]
        self.assertEqual(len(lines), 3)

    def test_every_option(self):
        result = self.run_tool(
            "--search-path", "nowhere", str(self.path), *BASE, "-o", "out/image.elf", "-r",
            "out/report", "--image-type", "elf", "--capdl-json", "out/caps.json",
            "--viper-output", "out/viper", "--html", "out/page.html", "test.system")
        self.assertEqual(result.returncode, 0, result.stderr)
        document = json.loads((self.out / "caps.json").read_text())
        self.assertEqual([domain["name"] for domain in document["domains"]], ["a", "b"])
        self.assertTrue((self.out / "sel4_32.elf").is_file())
        self.assertEqual({path.name for path in (self.out / "viper").iterdir()},
                         {"a.vpr", "b.vpr"})
        self.assertIn("warning: 'm' is mapped nowhere", result.stdout)

    def test_what_cannot_all_be_written_is_not_written(self):
        (self.path / "file").write_text("here already")
        before = sorted(self.path.rglob("*"))
        for option, place in (("--viper-output", "file"), ("--viper-output", "file/x"),
                              ("-r", "none/report"), ("--html", "out/none/page.html"),
                              ("--capdl-json", "file/x")):
            with self.subTest(option=option, place=place):
                result = self.run_tool("test.system", *BASE, "--viper-output", "viper", option,
                                       place)
                self.assertEqual(result.returncode, 1)
                self.assertIn("cannot be read or written", result.stderr)
                self.assertNotIn("Traceback", result.stderr)
                self.assertEqual(sorted(self.path.rglob("*")), before)

    def test_sizes_are_for_people(self):
        result = self.run_tool("test.system", *BASE, "--html", "out/page.html")
        self.assertRegex(result.stdout, r"MICROKIT\|boot module: loader.img, 32 KiB\n")
        report = (self.path / "report.txt").read_text()
        for line in ("tcb            a (2 KiB)", "cnode          a/main (16 KiB)",
                     "vcpu           v (16 KiB)", "endpoint       b (16 bytes)",
                     "m: 1 of 4 KiB anywhere"):
            self.assertIn(line, report)
        self.assertRegex(report, r"in all \d+\.\d KiB of RAM")
        page = (self.out / "page.html").read_text()
        self.assertNotRegex(page + report, r"0x[0-9a-f]+ bytes|\d{4,} bytes")

    def test_viper_functions(self):
        (self.path / "test.system").write_text(
            '<system>' + MR + pd("a/b", '<map mr="m" vaddr="0x1000_0000" perms="r" '
                                 'setvar_vaddr="value"/><irq id="3" pin="1" vector="1"/>'
                                 '<ioport id="2" addr="0x3f8" size="8"/>')
            + pd("a.b", priority="2")
            + channel('pd="a/b" id="0" pp="true" notify="false"', 'pd="a.b" id="5"')
            + "</system>")
        result = self.run_tool("test.system", "--system-image", "out/i", "--viper-output",
                               "out/viper", "--search-path", ".")
        self.assertEqual(result.returncode, 0, result.stderr)
        first = (self.out / "viper" / "a_b.vpr").read_text()
        second = (self.out / "viper" / "a_b_.vpr").read_text()
        for line in ("function may_notify(id: Int): Bool { false }",
                     "function may_call(id: Int): Bool { id == 0 }",
                     "function is_notified(id: Int): Bool { id == 0 || id == 3 }",
                     "function has_interrupt(id: Int): Bool { id == 3 }",
                     "function has_port(id: Int, port: Int): Bool "
                     "{ (id == 2 && 1016 <= port && port < 1024) }",
                     "function symbol_value(): Int { 268435456 }"):
            self.assertIn(line + "\n", first)
        self.assertIn("(268435456 <= address && address < 268439552)",
                      re.search(r"may_read.*", first).group())
        self.assertNotIn("268435456", re.search(r"may_write.*", first).group())
        self.assertIn("function is_called(id: Int): Bool { id == 5 }\n", second)
        self.assertIn("function is_notified(id: Int): Bool { false }\n", second)
        self.assertIn("function priority(): Int { 2 }\n", second)

    def test_the_boot_module(self):
        self.run_tool("test.system", *BASE, "-o", "out/image.elf", "-r", "out/report",
                      "--search-path", ".")
        self.run_tool("test.system", "--system-image", "out/system.img")
        module = (self.out / "image.elf").read_bytes()
        packed = (self.out / "system.img").read_bytes()
        program = Program(module, with_symbols=False)
        self.assertEqual(bytes(program.segments[-1].data), packed)
        address, size = struct.unpack_from("<QQ", program.segments[1].data)
        self.assertEqual((address, size), (program.segments[-1].vaddr, len(packed)))

    def test_the_kernel_in_a_32_bit_container(self):
        kernel = make_elf({})
        small = bundle.as_elf32(kernel)
        self.assertEqual(small[:5], b"\x7fELF\x01")
        self.assertEqual(struct.unpack_from("<I", small, 24)[0], 0x200000)
        kind, place, _, paddr, size = struct.unpack_from("<5I", small, 64)
        self.assertEqual((kind, paddr, size), (1, 0x200000, 16))
        self.assertEqual(small[place:place + size], b"\xf4" * 16)

    def test_an_image_of_any_size(self):
        (self.path / "huge").write_bytes(b"x" * (20 << 20))
        (self.path / "test.system").write_text(
            '<system><memory_region name="m" prefill_path="huge"/>'
            + pd(inside='<map mr="m" vaddr="0x1000_0000"/>') + "</system>")
        result = self.run_tool("test.system", *BASE)
        self.assertEqual(result.returncode, 0, result.stderr)
        program = Program((self.path / "loader.img").read_bytes(), with_symbols=False)
        self.assertGreater(len(program.segments[-1].data), 20 << 20)

    def test_wrong_words(self):
        for words, expected in (
            ((), "required: system"),
            (("test.system",), "--board is needed: one of x86_64_generic, x86_64_generic_vtx"),
            (("test.system", "--board", "x86_64_generic"), "--config is needed: one of debug"),
            (("test.system", "--board", "pc", "--config", "debug"), "x86_64_generic_vtx"),
            (("test.system", *BASE[:3], "fast"), "benchmark"),
            (("test.system", "other.system", *BASE), "unrecognized arguments: other.system"),
            (("test.system", *BASE, "--image-type", "binary"), "--image-type"),
            (("missing.system", *BASE), "missing.system: cannot be read"),
            (("test.system", *BASE, "--override-kernel", "gone"), "gone: cannot be read"),
            (("test.system", *BASE, "-o", "no/where"), "no/where: cannot be"),
            (("test.system", *BASE, "--nonsense"), "--nonsense"),
        ):
            with self.subTest(words=words):
                result = self.run_tool(*words)
                self.assertEqual(result.returncode, 1)
                self.assertIn(expected, result.stderr)
                self.assertFalse((self.path / "loader.img").exists())

    def test_all_problems_go_to_stderr_and_nothing_is_written(self):
        (self.path / "test.system").write_text(
            "<system>\n<nonsense/>\n" + pd(priority="300", image_path="gone.elf") + "</system>")
        result = self.run_tool("test.system", *BASE)
        self.assertEqual(result.returncode, 1)
        lines = result.stderr.splitlines()
        self.assertEqual([line.rsplit(":", 1)[0].split(": ")[0] for line in lines],
                         ["test.system:2:1", "test.system:3:1", "test.system:3:44"])
        self.assertFalse((self.path / "loader.img").exists())

    def test_a_board_without_guests(self):
        result = self.run_tool("test.system", "--board", "x86_64_generic", "--config", "debug")
        self.assertEqual(result.returncode, 1)
        self.assertIn("has no VT-x", result.stderr)

    def test_report(self):
        self.run_tool("test.system", *BASE, "-r", "out/report")
        text = (self.out / "report").read_text()
        for words in ("main  74  endpoint b, write grant, badge 0x8000000000000003",
                      "main 330  vcpu v", "vcpu           v", "a:0 (calls and notifies)",
                      "main   5  endpoint initial task, badge 0x2", "initial task, badge 0x1"):
            self.assertIn(words, text)

    def test_cores(self):
        time = {"budget": "375", "period": "1000"}
        (self.path / "test.system").write_text(
            "<system>" + pd("a", cpu="2", priority="1", **time) + pd("b", cpu="2", **time)
            + pd("c", passive="true", inside='<irq id="3" pin="1" vector="1" cpu="5"/>'
                 '<irq id="4" pcidev="1:2.3" handle="0" vector="2" cpu="5"/>')
            + pd("d") + "</system>")
        result = self.run_tool("test.system", *BASE, "-r", "out/report", "--html", "out/page",
                               "--capdl-json", "out/caps")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = (self.out / "report").read_text()
        self.assertIn("""
Cores
=====
  core 0: budgets of 0 %
    c, priority 0: passive
    d, priority 0: turns of 1000 us
  core 2: budgets of 75 %
    a, priority 1: 37.5 %, 375 of 1000 us
    b, priority 0: 37.5 %, 375 of 1000 us
""", report)
        self.assertIn("  priority 1, 375 of 1000 us, core 2\n", report)
        self.assertIn("vector 1, core 5\n", report)
        self.assertRegex(report, "irq 4: .*, vector 2, core 5\n")
        page = (self.out / "page").read_text()
        self.assertIn("Each core has its colour.", page)
        self.assertRegex(page, r">core 2</text>")
        document = json.loads((self.out / "caps").read_text())
        self.assertEqual([domain["core"] for domain in document["domains"]], [2, 2, 0, 0])

    def test_one_core_is_not_drawn(self):
        self.run_tool("test.system", "--system-image", "out/i", "--html", "out/page")
        self.assertNotRegex((self.out / "page").read_text(), ">core |its colour")

    def test_page_without_graphviz(self):
        empty = self.path / "empty-path"
        empty.mkdir()
        result = self.run_tool("test.system", "--system-image", "out/i", "--html", "out/page",
                               path=str(empty))
        self.assertEqual(result.returncode, 0)
        self.assertIn("graphviz is not installed", result.stderr)
        text = (self.out / "page").read_text()
        self.assertIn("apt-get install graphviz", text)
        self.assertNotIn("<svg", text)

    def test_same_input_same_bytes(self):
        written = []
        for name in ("first", "second"):
            folder = self.path / name
            folder.mkdir()
            self.run_tool("test.system", *BASE, "-o", f"{name}/i", "-r", f"{name}/r",
                          "--capdl-json", f"{name}/j", "--html", f"{name}/h")
            written.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
        self.assertEqual(written[0].keys(), written[1].keys())
        self.assertEqual(written[0], written[1])


if __name__ == "__main__":
    unittest.main()
