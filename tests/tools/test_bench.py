# SPDX-License-Identifier: BSD-2-Clause
"""Recorded figures are read, compared and refused with one clear line."""

import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from nacre import bench, trace  # noqa: E402
from nacre.report import Failure  # noqa: E402

IPC = bench.load(bench.QUESTIONS["ipc"])


def figure(name, median):
    return {"bench": "ipc", "name": name, "median": median}


class Questions(unittest.TestCase):
    def test_each_can_be_measured(self):
        for path in bench.QUESTIONS.values():
            self.assertTrue(callable(bench.load(path).measure), path)


class Recorded(unittest.TestCase):
    def refuse(self, text, reason):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "figures"
            path.write_text(text)
            with self.assertRaisesRegex(Failure, reason) as caught:
                bench.recorded(path)
        self.assertEqual(len(str(caught.exception).splitlines()), 1)

    def test_wrong_files(self):
        self.refuse("", "holds no figures")
        self.refuse("{\n", ":1: not a figure")
        self.refuse(json.dumps(figure("call", 1)) + "\n[]\n", ":2: not a figure")
        self.refuse('{"bench": "ipc", "name": "call", "median": "many"}\n', ":1: not a figure")
        self.refuse('{"bench": "ipc", "name": [], "median": 1}\n', ":1: not a figure")

    def test_missing_file(self):
        with self.assertRaisesRegex(Failure, "cannot be read"):
            bench.recorded(pathlib.Path("no/such/file"))

    def test_round_trip(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "figures"
            bench.write(path, [figure("call", 7), {"bench": "kernel-boot", "value": 1}])
            self.assertEqual(bench.recorded(path), {("ipc", "call"): 7})

    def test_kept_results(self):
        medians = bench.recorded(ROOT / "bench" / "results" / "ipc.json")
        self.assertEqual({name for _, name in medians}, set(IPC.MARKS))


class Comparison(unittest.TestCase):
    BEFORE = {("ipc", "call"): 100, ("ipc", "gone"): 5, ("other", "boot"): 1}

    def test_growth_fails(self):
        lines, grew = bench.comparison([figure("call", 103)], self.BEFORE)
        self.assertTrue(grew)
        self.assertEqual(lines, ["call: 100 -> 103 (+3.0%), GREW",
                                 "gone: recorded, no longer measured"])

    def test_less_or_new_is_well(self):
        lines, grew = bench.comparison(
            [figure("call", 90), figure("gone", 5), figure("new", 1)], self.BEFORE)
        self.assertFalse(grew)
        self.assertEqual(lines, ["call: 100 -> 90 (-10.0%)", "new: 1, not recorded before"])

    def test_equal(self):
        lines, grew = bench.comparison([figure("call", 100), figure("gone", 5)], self.BEFORE)
        self.assertEqual((lines, grew), (["every median is as recorded"], False))


class Table(unittest.TestCase):
    LINE = ('{"name": "null-syscall", "unit": "ticks", "min": 1, "median": 70, "p99": 70, '
            '"max": 70, "n": 1000, "machine": "CPU"}')

    def test_figures_among_other_output(self):
        found = IPC.figures_of(f"boot: done\r\n{self.LINE}\r\nbench done\r\n")
        self.assertEqual([(one["median"], one["unit"]) for one in found], [(70, "instructions")])

    def test_star_above_mark(self):
        lines = IPC.table(IPC.figures_of(self.LINE)).splitlines()
        self.assertEqual(lines[3].split(), ["null", "system", "call", "100", "70", "60", "*",
                                            "-", "-", "-", "-"])
        self.assertIn("1 of 1", lines[4])

    def test_counts_and_limits(self):
        figures = IPC.figures_of(self.LINE.replace("null-syscall", "call-two-spaces"))
        IPC.count(figures, [trace.Row(70, 55, 12, 15, 20, 6, 0)])
        lines = IPC.table(figures).splitlines()
        self.assertEqual(lines[3].split()[-4:], ["12", "15", "20", "6"])
        self.assertIn("Call, two address spaces: 12 lines of kernel code, at most 12", lines)
        self.assertIn("Call, two address spaces: 15 lines of kernel data, at most 14 *", lines)

    def test_lost_events_are_not_counted(self):
        figures = IPC.figures_of(self.LINE)
        IPC.count(figures, [trace.Row(70, 55, 12, 15, 20, 6, 1)])
        self.assertNotIn("code_lines", figures[0])

    def test_rows_that_do_not_match(self):
        with self.assertRaisesRegex(Failure, "saw 0 rows, the task 1"):
            IPC.count(IPC.figures_of(self.LINE), [])

    def test_unknown_operation(self):
        with self.assertRaisesRegex(Failure, "no operation calls; there are null-syscall"):
            IPC.operation_report("calls", IPC.figures_of(self.LINE), [None])

    def test_failure_is_told(self):
        with self.assertRaisesRegex(Failure, "gave up at ipc.c:1: error"):
            IPC.figures_of("bench failed: ipc.c:1: error\n")


if __name__ == "__main__":
    unittest.main()
