# SPDX-License-Identifier: BSD-2-Clause
"""What `./nacre bench guest` makes of counts and reports."""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from nacre import cli  # noqa: E402
from nacre.bench import guest_debian, guest_memory, guest_probes  # noqa: E402
from nacre.bench import guest_share, questions  # noqa: E402
from nacre.report import Failure, Misuse  # noqa: E402

GUEST = questions.load(questions.QUESTIONS["guest"])
REPORT = """System for configuration release: 2 protection domains

Protection domains
==================
one, implied by <virtual_machine> of line 1
  program vmm.elf, entry 0x200000
  stack 0x7fffffff5000..0x7fffffffd000, 32 KiB
  map 0x000100000000..0x000100400000 rw  ram_one, 4 MiB
  map 0x000080000000..0x000080001000 r   queue_one, 4 KiB
  virtual machine one, vcpu 0
    map 0x000000000000..0x000000400000 rwx ram_one, 4 MiB

Channels
========
  one:0 (notifies) - serial:1 (notifies)

Objects
=======
  tcb            one (2 KiB)
  reply          one (32 bytes)
  frame          one: program 0x200000 rx, 25 of 4 KiB
  frame          one: stack, 8 of 4 KiB
  frame          ram_one: 2 of 2 MiB anywhere, filled from zero
  frame          hpet: 1 of 4 KiB at 0xfed00000, filled from zero
  frame          queue_one: 1 of 4 KiB anywhere, filled from zero
  in all 4.1 MiB of RAM, page tables not counted
"""


class Counts(unittest.TestCase):
    def test_between_marks(self):
        counts = guest_share.counts_of("10 1 2 3\n30 4 7 5\n30 9 9 9\n31 9 9 9\n", "x")
        first, second = guest_share.between(counts)
        self.assertEqual((first.guest, first.beside, first.all, first.entries), (20, 8, 28, 2))
        self.assertEqual((second.guest, second.beside), (1, 0))

    def test_damage(self):
        for text in ("1 2 3\n", "1 2 3 x\n"):
            with self.assertRaisesRegex(Failure, "x: a damaged line"):
                guest_share.counts_of(text, "x")

    def test_the_program_has_the_marks_that_the_plugin_knows(self):
        text = (ROOT / "tools" / "plugin" / "share.c").read_text()
        words = re.search(r"mark\[\] = \{(.*?)\}", text)[1].split(", ")
        mark = bytes(ord(word[1]) if word.startswith("'") else int(word, 16) for word in words)
        self.assertGreaterEqual(guest_share.program().read_bytes().count(mark), 3)


class Memory(unittest.TestCase):
    def test_objects_and_tables(self):
        # Not what is at an address of its own.
        objects = 2048 + 32 + (25 + 8 + 1) * 4096 + (4 << 20)
        self.assertEqual(guest_memory.object_bytes(REPORT), objects)
        # The monitor's: PDPTs of the low and the high end; PDs of program, stack, RAM and queue;
        # PTs of program, stack and queue. The guest's: PDPT and PD.
        self.assertEqual(guest_memory.memory(REPORT) - objects, (2 + 4 + 3 + 2) * 4096)


class Rows(unittest.TestCase):
    def test_marks(self):
        row = GUEST.Row("a", "first", "instructions", 2500, 2500, {"exits": 2})
        self.assertEqual(row.cells(), ("first", "instructions", "2,500", "2,500", "yes", "exits 2"))
        self.assertEqual(row.figure(), {"name": "a", "unit": "instructions", "median": 2500,
                                        "limit": 2500, "exits": 2})
        self.assertEqual(GUEST.Row("a", "first", "instructions", 2501, 2500).cells()[4], "no")
        free = GUEST.Row("b", "second", "processor time", 1.5)
        self.assertEqual(free.cells()[4], "")
        self.assertNotIn("median", free.figure())
        self.assertEqual(len(GUEST.table([row, free]).splitlines()), 3)

    def test_units(self):
        self.assertEqual(guest_probes.Work("a", "", "read", 10, 64).units, 640)
        self.assertEqual(guest_probes.Work("a", "", "ask", 10, 32).units, 330)

    def test_names(self):
        self.assertEqual(len(GUEST.NAMES), len(set(GUEST.NAMES)))
        options = cli.parse(["bench", "guest", "--only", "block"])
        self.assertEqual(set(questions.questions_of(options)), {"guest"})
        with self.assertRaisesRegex(Misuse, "--only blok: there is no such figure; near it: block"):
            questions.questions_of(cli.parse(["bench", "guest", "--only", "blok"]))

    def test_what_is_compiled(self):
        text = guest_debian.source()
        self.assertEqual(text.count("static long work_"), guest_debian.FUNCTIONS)
        self.assertEqual(text.count("{"), text.count("}"))


if __name__ == "__main__":
    unittest.main()
