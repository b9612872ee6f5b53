# SPDX-License-Identifier: BSD-2-Clause
"""What a guest warns of beside the bare machine is read from the consoles of both."""

import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre.test import (bochs_warnings, guest_matrix, guest_warnings, results,  # noqa: E402
                        suite)

MESSAGES = [f"<6>[    0.{number:06}] message {number}" for number in range(150)]
BARE = "\r\n".join([*MESSAGES, "<4>[    2.560360] acpi PNP0A03:00: no MMCONFIG", "Starting up"])


def guest(*lines):
    """As a guest's console shows it, beside Nacre's own lines."""
    return "'rootserver': error 3 of untyped, label 1\n" + "".join(
        f"[linux] {line}\r\n" for line in (*MESSAGES, *lines)) + "[other] an error of mine\n"


class WarningsTest(unittest.TestCase):
    def found(self, *lines):
        return guest_warnings.new(guest(*lines), BARE)

    def test_what_both_print_is_not_new(self):
        self.assertEqual(self.found("<4>[    9.111111] acpi PNP0A03:00: no MMCONFIG"), [])
        self.assertEqual(self.found("<4>[    9.111111] acpi PNP0A03:07: no MMCONFIG"), [])

    def test_levels_count_and_so_do_words(self):
        for line, text in (
                ("<4>[    1.000000] a clock went backwards", "a clock went backwards"),
                # Of a program: the facility is above the level.
                ("<28>[    1.000000] udev: odd", "udev: odd"),
                ("<6>[    1.000000] device: reset Failed", "device: reset Failed"),
                ("\x1b[31m[FAILED]\x1b[0m to start it", "[FAILED] to start it"),
                ("vmm linux: unsupported MSR", "vmm linux: unsupported MSR")):
            self.assertEqual(self.found(line), [text])

    def test_information_is_no_warning(self):
        self.assertEqual(self.found("<6>[    1.0] fine", "<30>[    1.0] fine", "fine"), [])

    def test_a_log_that_was_not_read_is_no_good_one(self):
        self.assertEqual(guest_warnings.new("", BARE),
                         ["0 messages of the guest's kernel were read"])
        self.assertEqual(guest_warnings.new(guest(), ""),
                         ["0 messages of the bare machine's kernel were read"])


class MatrixTest(unittest.TestCase):
    ROW = guest_matrix.Row("amd64", 128, None)

    def judged(self, *lines, why=None):
        return guest_matrix.judged(self.ROW, guest_matrix.Run(None, BARE, 7),
                                   guest_matrix.Run(why, guest(*lines), 9))

    def test_a_row_passes_without_new_warnings(self):
        found = self.judged()
        self.assertEqual((found.outcome, found.name), (results.PASSED, "guests-all/amd64-128"))
        self.assertIn("bare 7 s, 1 warnings; guest 9 s, 0", found.text)

    def test_a_new_warning_or_no_end_fails_it(self):
        found = self.judged("<3>[    1.000000] no such luck")
        self.assertEqual((found.outcome, found.text), (results.FAILED, "no such luck"))
        found = self.judged(why="300 s are over")
        self.assertEqual((found.outcome, found.text), (results.FAILED, "guest: 300 s are over"))

    def test_what_is_allowed_is_printed_with_its_reason(self):
        with mock.patch.object(guest_matrix, "ALLOWED", ((r"amd64-\d+", "such luck", "it is so"),
                                                         (r"rt-\d+", "other", "not here"))):
            self.assertIn("allowed: no such luck (it is so)",
                          self.judged("<3>[    1.000000] no such luck").text)
            self.assertEqual(self.judged("<3>[    1.000000] other").outcome, results.FAILED)

    def test_every_run_has_two_rows_and_the_group_all(self):
        of_group = [test for test in suite.all_tests() if test.name.startswith("guests-all/")]
        brief = [test for test in of_group if not test.on_demand]
        self.assertEqual(len(brief), 2)
        for pattern, expected in {"": brief, "guests": brief, "guests-all": of_group}.items():
            self.assertEqual(suite.chosen(of_group, pattern), expected)
        one = [test for test in of_group if test.name == "guests-all/installer-384"]
        self.assertEqual(suite.chosen(of_group, one[0].name), one)


class RecordTest(unittest.TestCase):
    RELEASE = "<5>[    0.000000] Linux version 6.1.0-1-amd64 (a maker)"

    def judged(self, *lines):
        with tempfile.TemporaryDirectory() as folder:
            record = pathlib.Path(folder) / "record.txt"
            record.write_text(bochs_warnings.record_of(f"{self.RELEASE}\n{BARE}"))
            with mock.patch.object(bochs_warnings, "RECORD", record):
                return bochs_warnings.judge("shell/warnings", guest(*lines))

    def test_recorded_warnings_pass_whatever_their_numbers(self):
        found = self.judged(self.RELEASE, "<4>[    9.111111] acpi PNP0A03:07: no MMCONFIG")
        self.assertEqual(found.outcome, results.PASSED)

    def test_a_new_warning_fails(self):
        found = self.judged(self.RELEASE, "<3>[    1.000000] no such luck")
        self.assertEqual((found.outcome, found.text), (results.FAILED, "no such luck"))

    def test_another_kernel_is_not_judged(self):
        found = self.judged(self.RELEASE.replace("6.1.0-1", "6.1.0-2"))
        self.assertEqual(found.outcome, results.SKIPPED)
        self.assertIn("6.1.0-2-amd64: ./nacre test bochs-warnings", found.text)


if __name__ == "__main__":
    unittest.main()
