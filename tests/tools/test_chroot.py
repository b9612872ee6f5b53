# SPDX-License-Identifier: BSD-2-Clause
"""Tests on another release of Debian: when they run, how they reach the archive, what they say."""

import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import archive, packages  # noqa: E402
from nacre.report import Failure  # noqa: E402
from nacre.test import chroot, releases, results, suite  # noqa: E402

TARGETS = """https://packages.example/apt Vendor/Vendor/main
http://mirror.example/debian-security/ Debian/Debian-Security/main
cdrom://disc/ Debian/Debian/main
http://mirror.example/debian/ Debian/Debian/main
"""
SETTINGS = """Acquire "";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::http::Proxy-Auto-Detect "/usr/bin/finds-the-proxy";
Acquire::https::Proxy "DIRECT";
Acquire::Languages:: "none";
Acquire::Check-Valid-Until "false";
DPkg::Options:: "--force-confold";
"""
FAILED = """nacre: building
FAIL kernel (3.0 s, 2 tests): every call answers
     FAIL kernel/one: it does not

Failures:
  kernel/one: it does not (build/logs/kernel.log)
  guests/two: status 3
7 passed, 2 failed, 0 skipped
"""


class ChoiceTest(unittest.TestCase):
    def chosen(self, pattern, host):
        with mock.patch.object(releases, "host_release", lambda: host):
            return [test.name for test in suite.chosen(suite.all_tests(), pattern)]

    def test_they_run_only_when_named(self):
        for pattern in ("", "run", "test", "12", "/13"):
            self.assertFalse([name for name in self.chosen(pattern, "12") if "releases/" in name])
        self.assertIn("kernel", self.chosen("", "12"))

    def test_the_other_release_is_the_one_that_the_host_is_not(self):
        for host, other in (("12", ["13"]), ("13", ["12"]), ("", ["12", "13"])):
            self.assertEqual([name.split("/")[1] for name in self.chosen("releases", host)],
                             [name for name in other for _ in releases.COMMANDS])

    def test_the_hosts_own_is_run_by_its_number(self):
        self.assertEqual(self.chosen("releases/12/run", "12"), ["releases/12/run"])


class ArchiveTest(unittest.TestCase):
    def test_the_mirror_is_the_one_that_apt_uses(self):
        self.assertEqual(archive.mirror(TARGETS), "http://mirror.example/debian")
        self.assertEqual(archive.mirror(TARGETS, "Debian-Security"),
                         "http://mirror.example/debian-security")
        self.assertEqual(archive.mirror(TARGETS[:60]), archive.DEFAULT_MIRRORS["Debian"])

    def test_what_reaches_it_is_handed_on(self):
        self.assertEqual(archive.reaching(SETTINGS).splitlines(),
                         [SETTINGS.splitlines()[line] for line in (1, 2, 4, 6)])

    def test_the_environments_proxy_comes_before_that_of_apt(self):
        with mock.patch.dict(os.environ, {}, clear=True):
            self.assertEqual(archive.proxies(SETTINGS), ["http_proxy=http://proxy.example:3128"])
        with mock.patch.dict(os.environ, {"http_proxy": "http://other"}, clear=True):
            self.assertEqual(archive.proxies(SETTINGS), ["http_proxy=http://other"])


class RefusalTest(unittest.TestCase):
    def test_a_host_without_chroot_gets_one_line(self):
        refusal = ["sh", "-c", "echo unshare: Operation not permitted; echo again; exit 1"]
        with mock.patch.object(packages, "ensure"), \
                mock.patch.object(packages, "as_root", lambda command: refusal), \
                self.assertRaises(Failure) as caught:
            chroot.check()
        self.assertRegex(str(caught.exception), "^no chroot .*: unshare: Operation not permitted")
        self.assertNotIn("\n", str(caught.exception))


class VerdictTest(unittest.TestCase):
    def judge(self, status, text, counted=True):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            log.write_text(text)
            return releases.judge("releases/13/test", status, log, counted)

    def test_each_failed_test_is_named(self):
        found = self.judge(1, FAILED)
        self.assertEqual([result.outcome for result in found], [results.FAILED] * 3)
        self.assertEqual(found[0].text, "status 1: 7 passed, 2 failed, 0 skipped")
        self.assertEqual(found[2].name, "releases/13/test: guests/two")

    def test_only_passed_tests_pass(self):
        for status, text, outcome in ((0, "9 passed, 0 failed, 1 skipped\n", results.PASSED),
                                      (0, "0 passed, 0 failed, 1 skipped\n", results.FAILED),
                                      (0, "9 passed, 1 failed, 0 skipped\n", results.FAILED),
                                      (2, "9 passed, 0 failed, 0 skipped\n", results.FAILED),
                                      (0, "nacre: building\n", results.FAILED)):
            self.assertEqual(self.judge(status, text)[0].outcome, outcome, text)

    def test_a_command_without_tests_is_judged_by_its_status(self):
        self.assertEqual(self.judge(0, "", counted=False)[0].outcome, results.PASSED)
        self.assertEqual(self.judge(1, "no guest", counted=False)[0].outcome, results.FAILED)


if __name__ == "__main__":
    unittest.main()
