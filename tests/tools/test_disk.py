# SPDX-License-Identifier: BSD-2-Clause
"""Disks with two slots: what is where, which slot an update takes, and what is refused; which keys
an ISO is signed with."""

import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import cli, places  # noqa: E402
from nacre.guest import partitions  # noqa: E402
from nacre.pack import disk, product  # noqa: E402
from nacre.report import Failure  # noqa: E402


class DiskTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        (cls.path / "kernel").write_bytes(b"kernel")
        cls.made = cls.path / "made.img"
        cls.made.touch()
        disk.make(cls.made, disk.SLOT_SIZE, *cls.system("old"))

    @classmethod
    def system(cls, arguments):
        return cls.path / "kernel", {"root.elf": cls.path / "kernel"}, arguments, None

    def setUp(self):
        self.image = self.path / "disk.img"
        self.image.write_bytes(self.made.read_bytes())

    def menu_of(self, slot):
        """The menu's text in a slot, as mtools finds it."""
        with disk.opened(self.image) as (_, found):
            place = found[f"slot-{slot}"].start
        return subprocess.run(["mtype", "-i", f"{self.image}@@{place}", "::/menu.cfg"],
                              stdout=subprocess.PIPE, text=True, check=True).stdout

    def run_disk(self, *words):
        with mock.patch.object(sys, "stderr", io.StringIO()) as said, \
                mock.patch.object(sys, "stdout", io.StringIO()) as printed:
            status = cli.main(["disk", "-o", str(self.image), *words])
        return status, printed.getvalue() + said.getvalue()

    def test_partitions_do_not_overlap(self):
        with self.image.open("rb") as file:
            found = partitions.read(file, "disk")
        self.assertEqual([partition.label for partition in found], list(disk.LABELS))
        for before, after in zip(found, found[1:]):
            self.assertLessEqual(before.start + before.size, after.start)

    def test_grub_reads_the_block(self):
        with disk.opened(self.image) as (file, found):
            disk.set_state(file, found, disk.State("a", "b", "3"))
            data = disk.read_at(file, disk.block_place(file, found), disk.BLOCK_SIZE)
        (self.path / "grubenv").write_bytes(data)
        said = subprocess.run(["grub-editenv", self.path / "grubenv", "list"], text=True,
                              stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(said, "good=a\nslot=b\ntries=3\n")
        self.assertLess(data.rindex(b"\n"), disk.SECTOR)

    def test_damaged_blocks_mean_the_first_slot(self):
        for data in (b"", b"#" * disk.BLOCK_SIZE, b"good=b\nslot=b\n",
                     disk.BLOCK_HEAD.encode() + b"good=c\nslot=7\n"):
            found = disk.unpacked(data)
            self.assertEqual((found.good, found.slot), ("a", "a"))

    def test_damaged_tries_are_none(self):
        for tries in ("", "0", "4", "03", "many"):
            data = f"{disk.BLOCK_HEAD}good=a\nslot=b\ntries={tries}\n".encode()
            self.assertEqual(disk.unpacked(data), disk.State("a", "b", "0"))

    def test_a_write_may_be_a_part(self):
        class Slow(io.BytesIO):
            name = "slow"

            def write(self, data):
                return super().write(data[:3])

        file = Slow(bytes(12))
        disk.put(file, 1, b"ten bytes.")
        self.assertEqual(file.getvalue(), b"\0ten bytes.\0")
        with mock.patch.object(Slow, "write", return_value=0), \
                self.assertRaisesRegex(Failure, "slow: nothing can be written at byte 1"):
            disk.put(file, 1, b"more")

    def test_an_update_takes_the_slot_that_did_not_come_up(self):
        for name, slot in (("one", "b"), ("two", "b")):
            self.assertEqual(disk.update(self.image, *self.system(name)), slot)
            self.assertIn(f"kernel.elf {name} ", self.menu_of("b"))
        self.assertIn("kernel.elf old ", self.menu_of("a"))
        self.assertEqual(self.run_disk("--show"), (
            0, "boots slot b, tries left unless it is kept: 3; then slot a\n"))
        self.assertEqual(self.run_disk("--keep"), (0, "slot b is kept\n"))
        self.assertEqual(disk.update(self.image, *self.system("three")), "a")
        self.assertIn("kernel.elf two ", self.menu_of("b"))

    def test_an_update_that_was_not_kept(self):
        disk.update(self.image, *self.system("new"))
        with disk.opened(self.image) as (file, found):
            disk.set_state(file, found, disk.State("a", "b", "0"))
        self.assertEqual(disk.described(self.image), "boots slot a: slot b was not kept")

    def test_what_is_refused(self):
        status, said = self.run_disk()
        self.assertEqual(status, 2)
        self.assertIn("disk.img: is there; --update", said)
        for words in (["--slot-size", "1M"], ["--slot-size", "much"]):
            status, said = self.run_disk(*words)
            self.assertEqual(status, 2)
            self.assertIn("--slot-size", said)
        self.image.write_bytes(bytes(1 << 20))
        for word in ("--update", "--keep", "--show"):
            status, said = self.run_disk(word)
            self.assertEqual(status, 1)
            self.assertIn("is no disk of `./nacre disk`", said)
        self.image.unlink()
        self.assertIn("there is no such disk", self.run_disk("--update")[1])

    def test_a_system_that_is_too_large(self):
        (self.path / "large").write_bytes(bytes(60 << 20))
        with self.assertRaisesRegex(Failure, "61 MiB, too many for a slot of 64 MiB"):
            disk.update(self.image, self.path / "kernel", {"root.elf": self.path / "large"}, "",
                        None)
        self.assertEqual(disk.described(self.image), "boots slot a")



class SignedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.keys = [self.path / name for name in ("key", "certificate", "other")]
        for path in (*self.keys, self.path / "kernel"):
            path.touch()
            os.utime(path, (1, 1))

    def packed(self, *keys):
        """Whether the ISO is made anew."""
        target = self.path / "signed.iso"
        with mock.patch.object(product, "make_system",
                               return_value=(self.path / "kernel", {})), \
                mock.patch.object(product.secure_boot, "signer"), \
                mock.patch.object(product, "step"), \
                mock.patch.object(product.iso, "pack_nacre",
                                  side_effect=lambda *_, **more: target.touch()) as pack:
            product.make_iso(places.DEMO, target, keys=keys or None)
        return pack.called

    def test_other_keys_make_another_iso(self):
        key, certificate, other = self.keys
        self.assertTrue(self.packed(key, certificate))
        self.assertFalse(self.packed(key, certificate))
        self.assertTrue(self.packed(other, certificate))
        self.assertTrue(self.packed(other, key))
        self.assertTrue(self.packed())
        self.assertTrue(self.packed(key, certificate))
        os.utime(key, (1 << 32, 1 << 32))
        self.assertTrue(self.packed(key, certificate))

    def test_a_key_that_is_gone(self):
        key, certificate, _ = self.keys
        self.packed(key, certificate)
        key.unlink()
        with self.assertRaisesRegex(Failure, "--sign: .*key: there is no such file"):
            self.packed(key, certificate)

    def test_expanding_signs_nothing(self):
        with mock.patch.object(sys, "stderr", io.StringIO()) as said:
            self.assertEqual(cli.main(["build", "--expand", "--memory-test"]), 2)
        self.assertIn("--expand makes no ISO", said.getvalue())


if __name__ == "__main__":
    unittest.main()
