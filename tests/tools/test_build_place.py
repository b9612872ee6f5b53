# SPDX-License-Identifier: BSD-2-Clause
"""The build directory: set up once, and anew where it was made for another place."""

import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import build, places  # noqa: E402


class Places(unittest.TestCase):
    """Build directories of this tree and of others."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = pathlib.Path(folder.name) / "build"
        for name in ("build.ninja", "src/root/root.elf", "guest/vmlinuz", "meson-private/x"):
            file = self.build / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)

    def was_set_up(self, **directories):
        """Whether Meson is run for a build directory that says it is for these."""
        if directories:
            info = self.build / "meson-info" / "meson-info.json"
            info.parent.mkdir(exist_ok=True)
            info.write_text(json.dumps({"directories": directories}))
        with mock.patch.object(places, "BUILD", self.build), \
                mock.patch.object(build, "run_logged") as meson:
            build.configure(strict=False)
        return meson.called

    def test_one_of_this_place_is_used(self):
        self.assertFalse(self.was_set_up(source=str(places.ROOT), build=str(self.build)))
        self.assertTrue((self.build / "src/root/root.elf").exists())

    def test_one_reached_by_a_link_is_used(self):
        link = self.build.parent / "link"
        link.symlink_to(self.build)
        self.assertFalse(self.was_set_up(source=str(places.ROOT), build=str(link)))

    def test_a_copy_is_set_up_anew(self):
        for directories in ({"source": "/elsewhere", "build": str(self.build)},
                            {"source": str(places.ROOT), "build": "/elsewhere"}, {"other": "1"}):
            with self.subTest(directories=directories):
                self.setUp()
                self.assertTrue(self.was_set_up(**directories))
                for name in ("build.ninja", "src", "meson-private"):
                    self.assertFalse((self.build / name).exists(), name)
                self.assertEqual((self.build / "guest/vmlinuz").read_text(), "guest/vmlinuz")

    def test_damaged_records_count_as_none(self):
        self.assertTrue(self.was_set_up())


if __name__ == "__main__":
    unittest.main()
