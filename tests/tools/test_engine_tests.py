# SPDX-License-Identifier: BSD-2-Clause
"""Which guest tests run on which engine: the list, and what a run says against it."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from nacre.report import Failure  # noqa: E402
from nacre.test import engine_tests, results  # noqa: E402

LIST = """# what
svm exit-vmxon always never there
svm exit-invd emulator this one lacks it
svm exit-hlt fatal-9 the emulator ends
ryzen exit-in wrong it reads another port
"""


class Engines(unittest.TestCase):
    def complaints(self, *found):
        return [result.text for result in engine_tests.compared(
            engine_tests.absences(LIST)["svm"], found)]

    def test_sentences(self):
        found = engine_tests.sentences()
        self.assertEqual(found["exit-vmxon"], "VMXON in the guest exits")
        self.assertGreater(len(found), 100)
        self.assertTrue(all(found.values()))

    def test_as_listed(self):
        self.assertEqual(self.complaints(
            results.passed("guests-svm/exit-cpuid"), results.skipped("guests-svm/exit-vmxon", ""),
            results.skipped("guests-svm/exit-invd", "")), [])

    def test_another_emulator_may_have_it(self):
        self.assertEqual(self.complaints(results.passed("guests-svm/exit-invd")), [])

    def test_unexpected(self):
        self.assertEqual(self.complaints(results.skipped("guests-svm/exit-cpuid", "no reason")),
                         ["is skipped (no reason), and not in engines.txt"])
        self.assertEqual(self.complaints(results.passed("guests-svm/exit-vmxon")),
                         ["runs, but engines.txt says: never there"])

    def test_fatal(self):
        self.assertEqual(engine_tests.fatal("svm", 8, LIST), [])
        self.assertEqual(engine_tests.fatal("svm", 9, LIST), ["exit-hlt"])
        self.assertEqual(engine_tests.fatal("svm", 10, LIST), ["exit-hlt"])
        self.assertEqual(engine_tests.fatal("vtx", 10, LIST), [])
        self.assertEqual(self.complaints(results.skipped("guests-svm/exit-hlt", "")), [])
        self.assertEqual(self.complaints(results.passed("guests-svm/exit-hlt")), [])

    def test_wrong_emulator(self):
        lines = results.failed("guests-ryzen/exit-in", "1"), results.failed("guests-ryzen/exit-out",
                                                                            "2")
        found = list(engine_tests.judged("ryzen", lines, LIST))
        self.assertEqual([(result.outcome, result.text) for result in found],
                         [(results.SKIPPED, "it reads another port"), (results.FAILED, "2")])
        fine = [results.passed("guests-ryzen/exit-in")]
        self.assertEqual(list(engine_tests.judged("ryzen", fine, LIST)), fine)

    def test_leaving_out(self):
        blank = engine_tests.LEFT_OUT + bytes(engine_tests.ROOM - len(engine_tests.LEFT_OUT))
        program = engine_tests.leaving_out(b"code" + blank + b"more", ["exit-hlt", "exit-in"])
        self.assertEqual(len(program), len(blank) + 8)
        self.assertIn(b"code" + engine_tests.LEFT_OUT + b" exit-hlt exit-in\0", program)
        self.assertEqual(engine_tests.leaving_out(blank, []), blank)

    def test_wrong_lists(self):
        for text, reason in (("svm exit-invd always\n", ":1: want"),
                             ("\narm exit-invd always why\n", ":2: want"),
                             ("svm exit-invd never why\n", ":1: want"),
                             ("svm exit-nothing always why\n", ":1: exit-nothing is no test"),
                             ("svm exit-invd fatal why\n", ":1: want"),
                             (LIST + "svm exit-invd always why\n", ":6: exit-invd")):
            with self.assertRaisesRegex(Failure, reason):
                engine_tests.absences(text)


if __name__ == "__main__":
    unittest.main()
