# SPDX-License-Identifier: BSD-2-Clause
"""The build directory: one for each compiler, warnings that stop tests only, and no rebuild."""

import argparse
import fcntl
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import build, packages, places  # noqa: E402
from nacre.report import Failure  # noqa: E402
from nacre.test import results, suite  # noqa: E402

# A program that the compiler warns of, and a test program that is not among the usual targets.
PROJECT = """
project('small', 'c', default_options: ['warning_level=0'])
executable('program', 'program.c', c_args: '-Wall')
test('check', executable('check', 'check.c', build_by_default: false))
"""
UNUSED = "int main(void) { int unused; return 0; }\n"
CLEAN = "int main(void) { return 0; }\n"


class CompilerTest(unittest.TestCase):
    def test_each_compiler_has_its_folder(self):
        for words, folder in ((["gcc"], "build"), (["cc"], "build"), (["clang"], "build-clang"),
                              (["ccache", "/usr/bin/clang-16", "-m64"], "build-clang-16")):
            self.assertEqual(places.build_folder(words), places.ROOT / folder)

    def test_packages_follow_the_compiler(self):
        self.assertEqual(packages.of_compiler("clang"), ("clang", "libclang-rt-dev"))
        self.assertEqual(packages.of_compiler("clang-16"), ("clang-16", "libclang-rt-16-dev"))
        self.assertEqual(packages.of_compiler("gcc-13"), ("gcc-13",))
        self.assertEqual(packages.of_compiler("tcc"), ())


class BuildTest(unittest.TestCase):
    """A small project, built as the tree is."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "meson.build").write_text(PROJECT)
        (self.root / "program.c").write_text(UNUSED)
        (self.root / "check.c").write_text(CLEAN)
        for name, value in (("ROOT", self.root), ("BUILD", self.root / "build"),
                            ("LOGS", self.root / "logs")):
            patch = mock.patch.object(places, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.warned = mock.patch.object(build, "warn").start()
        self.steps = mock.patch.object(build, "step").start()
        mock.patch.object(packages, "ensure").start()
        self.addCleanup(mock.patch.stopall)

    def time_of(self, name):
        return (places.BUILD / name).stat().st_mtime_ns


class WarningsTest(BuildTest):
    def test_a_warning_stops_no_user(self):
        build.compile_all()
        self.assertTrue((places.BUILD / "program").is_file())
        self.warned.assert_not_called()

    def test_a_warning_stops_the_tests(self):
        with self.assertRaisesRegex(Failure, "unused"):
            build.compile_for_tests()

    def test_a_user_comes_after_tests_that_failed(self):
        with self.assertRaises(Failure):
            build.compile_for_tests()
        build.compile_all()
        self.assertTrue((places.BUILD / "program").is_file())
        self.warned.assert_called_once()

    def test_an_error_stops_everybody(self):
        (self.root / "program.c").write_text("int main(void) { return missing; }\n")
        with self.assertRaisesRegex(Failure, "missing"):
            build.compile_all()

    def test_nothing_is_compiled_twice_after_tests(self):
        (self.root / "program.c").write_text(CLEAN)
        build.compile_for_tests()
        before = self.time_of("program")
        self.assertTrue((places.BUILD / "check").is_file())
        build.compile_all()
        build.compile_for_tests()
        self.assertEqual(self.time_of("program"), before)

    def test_a_test_of_another_name_is_built(self):
        (self.root / "program.c").write_text(CLEAN)
        build.compile_for_tests()
        (self.root / "meson.build").write_text(PROJECT.replace("executable('check'",
                                                               "executable('renamed'"))
        build.compile_for_tests()
        self.assertTrue((places.BUILD / "renamed").is_file())

    def test_another_compiler_needs_another_folder(self):
        build.compile_all()
        with mock.patch.dict("os.environ", {"CC": "other"}), \
                mock.patch.object(places, "COMPILER", ["other"]):
            with self.assertRaisesRegex(Failure, "builds with `gcc`, and CC is `other`"):
                build.compile_all()


class AloneTest(BuildTest):
    """Several builds in one directory."""

    def test_of_two_at_once_one_waits(self):
        builder = threading.Thread(target=build.compile_all)
        with build.building_alone():
            builder.start()
            builder.join(0.5)
            self.assertTrue(builder.is_alive())
            self.assertFalse((places.BUILD / "build.ninja").exists())
        builder.join()
        self.assertTrue((places.BUILD / "program").is_file())
        self.assertIn("waiting", self.steps.call_args_list[0].args[0])

    def test_of_two_tests_one_waits(self):
        done = []
        options = argparse.Namespace(list=False, pattern="")
        row = suite.Test("x", "x", lambda: done.append(1) or [results.passed("x")])
        with mock.patch.object(suite, "all_tests", lambda: [row]), \
                mock.patch.object(suite, "prepare"), mock.patch.object(results.Tally, "add"), \
                mock.patch("builtins.print"):
            tester = threading.Thread(target=suite.run, args=[options])
            with build.testing_alone():
                tester.start()
                tester.join(0.5)
                self.assertEqual((tester.is_alive(), done), (True, []))
            tester.join()
        self.assertEqual(done, [1])
        self.assertIn("another ./nacre tests in", self.steps.call_args_list[0].args[0])

    def test_compilers_that_a_killed_command_left_are_waited_for(self):
        with build.building_alone() as lock:
            left = subprocess.Popen(["sleep", "60"], pass_fds=[lock])
        with open(places.BUILD / "lock", "w") as file:
            with self.assertRaises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.kill()
            left.wait()
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


if __name__ == "__main__":
    unittest.main()
