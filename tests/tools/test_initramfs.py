# SPDX-License-Identifier: BSD-2-Clause
"""The initramfs is an archive that cpio reads, and the same on every run."""

import pathlib
import re
import subprocess
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre.pack import cpio, debs, initramfs  # noqa: E402
from nacre.report import Failure  # noqa: E402


def entries(archive):
    """(name, mode, data) of each record, read by the format's description."""
    place = 0
    while True:
        header = archive[place:place + 110]
        numbers = [int(header[6 + 8 * index:14 + 8 * index], 16) for index in range(13)]
        mode, size, name_size = numbers[1], numbers[6], numbers[11]
        name = archive[place + 110:place + 109 + name_size].decode()
        start = (place + 110 + name_size + 3) & ~3
        if name == cpio.TRAILER:
            return
        yield name, mode, archive[start:start + size]
        place = (start + size + 3) & ~3


class InitramfsTest(unittest.TestCase):
    def setUp(self):
        self.modules = {name: name.encode() for name in debs.MODULES}
        self.archive = initramfs.contents(b"busybox program", self.modules)

    def test_same_bytes_every_time(self):
        self.assertEqual(self.archive, initramfs.contents(b"busybox program", self.modules))

    def test_records(self):
        found = {name: (mode, data) for name, mode, data in entries(self.archive)}
        self.assertEqual(found["bin/busybox"], (0o100755, b"busybox program"))
        self.assertEqual(found["bin/sh"], (0o120777, b"busybox"))
        self.assertEqual(found["dev/console"][0], 0o020600)
        self.assertEqual(found["init"][0], 0o100755)
        self.assertIn(b"nacre-guest# ", found["etc/shrc"][1])

    def test_prompt_is_said_only_by_the_shell(self):
        found = {name: data for name, _, data in entries(self.archive)}
        self.assertNotIn(b"nacre-guest#", found["init"])

    def test_init_loads_what_is_there_in_order(self):
        found = {name: data for name, _, data in entries(self.archive)}
        lists = re.findall(r'\b(?:pci|disk|net|rng|console|watchdog|nvme)=("[^"]+"|[\w-]+)',
                           found["init"].decode())
        loaded = [name for words in lists for name in words.strip('"').split()]
        self.assertEqual(sorted([*loaded, *debs.BY_HAND]), sorted(self.modules))
        for name, data in self.modules.items():
            self.assertEqual(found[f"lib/{name}.ko"], data)

    def test_a_kernel_of_ones_own_has_no_modules_here(self):
        with mock.patch.object(debs, "ensure_modules", side_effect=Failure("no such package")), \
                mock.patch.object(initramfs, "warn") as warned:
            self.assertEqual(initramfs.modules_of_kernel(), {})
        warned.assert_called_once()

    def test_init_is_a_shell_script_without_mistakes(self):
        for name in ("init", "shrc"):
            script = next(data for path, _, data in entries(self.archive) if path.endswith(name))
            subprocess.run(["sh", "-n"], input=script, check=True)


if __name__ == "__main__":
    unittest.main()
