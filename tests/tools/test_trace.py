# SPDX-License-Identifier: BSD-2-Clause
"""What the counting plugin wrote is read and reported by function, line and branch."""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from nacre.bench import trace  # noqa: E402
from nacre.report import Failure  # noqa: E402

TEXT = """\
row instructions=4 kernel=3 code=2 data=2 branches=1 taken=1 lost=0
i 400000 2
i ffffffff80100000 4
r ffffffff80200038 16
b ffffffff80100040 2 taken
i ffffffff80100050 4
w ffffffff80200000 8
w ffffffff80200008 8
end
"""


class FakeSymbols:
    """`entry` up to 0x40, then `leave`, in which `store` is inlined at 0x50."""

    def name(self, address):
        if address >= 0xffffffff80200000:
            return f"object+{address - 0xffffffff80200000:#x}"
        return "entry" if address < 0xffffffff80100040 else "leave"

    function = name

    def read_sources(self, addresses):
        self.asked = set(addresses)

    def source(self, address):
        offset = address & 0xfff
        return ("store" if offset == 0x50 else self.name(address), f"file.c:{offset}")


class File(unittest.TestCase):
    def read(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "counted"
            path.write_text(text)
            return trace.rows_of(path)

    def test_rows(self):
        rows = self.read(TEXT + TEXT)
        self.assertEqual(len(rows), 2)
        self.assertEqual((rows[0].instructions, rows[0].taken, len(rows[0].events)), (4, 1, 7))
        self.assertEqual(rows[0].events[3], trace.Event("b", 0xffffffff80100040, 2, True))

    def test_row_without_end_is_not_complete(self):
        self.assertEqual(self.read(TEXT.removesuffix("end\n")), [])

    def test_wrong_line(self):
        with self.assertRaisesRegex(Failure, "counted:2: the counting plugin"):
            self.read(TEXT.replace("i 400000 2", "i"))

    def test_report(self):
        lines = trace.report(self.read(TEXT)[0], FakeSymbols()).splitlines()
        self.assertEqual(lines[0], "4 instructions, 3 of them in the kernel")
        self.assertEqual([line for line in lines if " line" in line and line[0] != " "],
                         ["2 lines of kernel code, in the order of their first instruction",
                          "2 lines of kernel data, in the order of their first access"])
        self.assertIn("     2  leave: store 1", lines)
        self.assertIn("  ffffffff80200040 object+0x40", lines)
        self.assertIn("    +00-0f  w   store (file.c:80)", lines)
        self.assertIn("    +38-3f  r   entry (file.c:0)", lines)
        self.assertEqual(lines[-2:],
                         ["1 conditional branches taken in the kernel, of 1 met",
                          "  ffffffff80100040  leave: leave (file.c:64)"])


class Elf(unittest.TestCase):
    def test_missing_file(self):
        with self.assertRaisesRegex(Failure, "nm failed"):
            trace.Symbols(pathlib.Path("no/such.elf"))


if __name__ == "__main__":
    unittest.main()
