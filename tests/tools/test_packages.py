# SPDX-License-Identifier: BSD-2-Clause
"""Installing packages while another package manager is at work, or while nothing can be fetched."""

import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import packages  # noqa: E402
from nacre.report import Failure  # noqa: E402

# Says the given text and fails, as many times as the file `left` has lines; then succeeds.
APT_GET = """#!/bin/sh
cd {folder}
echo "$@" >>calls
[ -s left ] || exit 0
sed -i 1d left
printf '%s\\n' "{text}"
exit 100
"""
LISTS = ("E: Could not get lock /var/lib/apt/lists/lock. It is held by process 321 (apt-get)\n"
         "E: Unable to lock directory /var/lib/apt/lists/")
DPKG = ("Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by "
        "process 321 (unattended-upgr)...\nE: Unable to acquire the dpkg frontend lock "
        "(/var/lib/dpkg/lock-frontend), is another process using it?")


class AptTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.step = mock.patch.object(packages, "step").start()
        mock.patch.object(packages, "as_root", lambda command: command).start()
        mock.patch.object(packages, "LOCK_PAUSE", 0).start()
        mock.patch.dict(os.environ, {"PATH": f"{folder.name}:{os.environ['PATH']}"}).start()
        self.addCleanup(mock.patch.stopall)

    def fail(self, text, times):
        program = self.folder / "apt-get"
        program.write_text(APT_GET.format(folder=self.folder, text=text))
        program.chmod(0o755)
        (self.folder / "left").write_text("once more\n" * times)

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()

    def test_a_lock_is_waited_for_with_one_line(self):
        for text, holder in ((LISTS, "process 321 (apt-get)"),
                             (DPKG, "process 321 (unattended-upgr)")):
            self.step.reset_mock()
            (self.folder / "calls").unlink(missing_ok=True)
            self.fail(text, 3)
            packages.apt_get("update")
            self.assertEqual(len(self.calls()), 4)
            self.step.assert_called_once()
            self.assertIn(holder, self.step.call_args[0][0])

    def test_a_lock_that_stays_is_named(self):
        self.fail(LISTS, 1000)
        with mock.patch.object(packages, "LOCK_SECONDS", 0.2):
            with self.assertRaisesRegex(Failure, "another package manager held its lock"):
                packages.apt_get("update")

    def test_other_failures_are_told_at_once(self):
        self.fail("E: Failed to fetch http://127.0.0.1/Packages", 1)
        with self.assertRaisesRegex(Failure, "is the network up"):
            packages.apt_get("update")
        self.assertEqual(len(self.calls()), 1)

    def test_the_cause_of_a_failure_is_told(self):
        """Of apt's lines in its own order, the one of which the others are consequences."""
        for text, why in (
                ("cannot create /dev/null: Permission denied\nW: GPG error: x", "chmod 666 /"),
                ("Err:1 x\nW: GPG error: http://x InRelease: NO_PUBKEY 6ED0\n"
                 "E: The repository 'http://x InRelease' is not signed.",
                 "failed; W: GPG error: http://x InRelease: NO_PUBKEY 6ED0$"),
                ("E: Unable to locate package tre", "failed; E: Unable to locate package tre$"),
                ("Temporary failure resolving 'x'\nE: Some index files failed",
                 "resolving 'x'; is the network up")):
            self.fail(text, 1)
            with self.subTest(text=text), self.assertRaises(Failure) as failure:
                packages.apt_get("update")
            self.assertRegex(str(failure.exception).splitlines()[0], why)


if __name__ == "__main__":
    unittest.main()
