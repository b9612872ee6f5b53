# SPDX-License-Identifier: BSD-2-Clause
"""The list of tests, and the order in which those with emulators begin."""

import pathlib
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre.test import results, suite  # noqa: E402


class SuiteTest(unittest.TestCase):
    def test_names_are_there_once(self):
        names = [test.name for test in suite.all_tests()]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual(set(suite.LONG), set(names))

    def test_the_longest_begin_first(self):
        begun = []

        def run(name):
            begun.append(name)
            return [results.passed(name)]

        names = ["kernel", suite.LONG[1], "system/other", suite.LONG[0]]
        tests = [suite.Test(name, "", lambda name=name: run(name), alone=False) for name in names]
        with mock.patch.object(suite, "EMULATORS_AT_ONCE", 1):
            suite.run_side_by_side(tests, mock.Mock())
        self.assertEqual(begun, [suite.LONG[0], suite.LONG[1], "kernel", "system/other"])

    def test_one_is_chosen_by_its_whole_name(self):
        tests = [suite.Test(name, "", list) for name in ("kernel", "kernel-vtx", "system/kernel")]
        for pattern, expected in {"kernel": ["kernel"], "kernel-": ["kernel-vtx"],
                                  "vtx": ["kernel-vtx"], "": [test.name for test in tests],
                                  "none": []}.items():
            self.assertEqual([test.name for test in suite.chosen(tests, pattern)], expected)


if __name__ == "__main__":
    unittest.main()
