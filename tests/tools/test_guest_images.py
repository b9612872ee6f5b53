# SPDX-License-Identifier: BSD-2-Clause
"""Disk images of guests: tables of partitions, kernels found in /boot, options of the command."""

import io
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import packages, places  # noqa: E402
from nacre.guest import bookworm, boot_files, debian, partitions, unpack  # noqa: E402
from nacre.pack import boot_images, debs  # noqa: E402
from nacre.report import Failure, Misuse  # noqa: E402

MEBIBYTE = 1 << 20
BZIMAGE = bytes(0x202) + b"HdrS" + bytes(2000)
# Of ping: CAP_NET_RAW (struct vfs_cap_data of Linux, version 2).
CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)
PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


def gpt_disk(size=16 * MEBIBYTE):
    file = io.BytesIO(bytes(size))
    partition = partitions.root_partition(size)
    partitions.write_gpt(file, size, partition)
    return file, partition


def mbr_disk(entries, size=16 * MEBIBYTE):
    """A disk with the tables given: sector -> four of (type, first, count)."""
    data = bytearray(size)
    struct.pack_into("<I", data, 440, 0xfeed1234)
    for sector, rows in entries.items():
        for index, (kind, first, count) in enumerate(rows):
            struct.pack_into("<4xB3xII", data, sector * 512 + 446 + 16 * index, kind, first, count)
        data[sector * 512 + 510:sector * 512 + 512] = b"\x55\xaa"
    return io.BytesIO(bytes(data))


class PartitionTest(unittest.TestCase):
    def test_what_is_written_is_read(self):
        file, partition = gpt_disk()
        self.assertEqual(partitions.read(file, "disk"), [partition])
        self.assertEqual((partition.start, partition.size), (MEBIBYTE, 14 * MEBIBYTE))

    def test_one_damaged_copy_is_enough_and_two_are_too_many(self):
        whole, partition = gpt_disk()
        for bad in ((512 + 20,), (512 + 90,), (1024,), (16 * MEBIBYTE - 512 + 60,)):
            data = bytearray(whole.getvalue())
            for place in bad:
                data[place] ^= 1
            with self.subTest(bad=bad):
                found = partitions.read(io.BytesIO(bytes(data)), "disk")
                # Byte 90 is none of the header's.
                self.assertEqual(found, [partition])
        data = bytearray(whole.getvalue())
        data[512] ^= 1
        data[-512] ^= 1
        with self.assertRaisesRegex(Failure, "disk: both copies"):
            partitions.read(io.BytesIO(bytes(data)), "disk")

    def test_no_byte_of_a_table_is_believed(self):
        """Whatever is in a header's fields, the parser answers or refuses."""
        whole, _ = gpt_disk(2 * MEBIBYTE)
        for place in range(512, 512 + 92):
            data = bytearray(whole.getvalue())
            data[place] = 0xff
            # With a right CRC the value itself counts.
            data[512 + 16:512 + 20] = bytes(4)
            length = min(struct.unpack_from("<I", data, 512 + 12)[0], 512)
            check = partitions.zlib.crc32(bytes(data[512:512 + length]))
            data[512 + 16:512 + 20] = struct.pack("<I", check)
            with self.subTest(place=place):
                for partition in partitions.read(io.BytesIO(bytes(data)), "disk"):
                    self.assertLessEqual(partition.start + partition.size, 2 * MEBIBYTE)

    def test_util_linux_agrees(self):
        file, partition = gpt_disk()
        with tempfile.NamedTemporaryFile() as image:
            image.write(file.getvalue())
            image.flush()
            said = subprocess.run(["partx", "--noheadings", "--raw", "--output",
                                   "NR,START,SECTORS,NAME,UUID,TYPE", image.name], text=True,
                                  env={"PATH": PATH}, stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(said.split(), [
            "1", "2048", str(partition.size // 512), "root", partition.identity, partition.kind])

    def test_mbr(self):
        file = mbr_disk({0: [(0x83, 2048, 4096), (0, 0, 0), (0x05, 8192, 8192), (0x82, 1 << 30, 9)],
                         8192: [(0x83, 10, 100), (0x05, 4096, 200)],
                         12288: [(0x07, 20, 180)]})
        self.assertEqual(
            [(found.number, found.start // 512, found.size // 512, found.kind, found.identity)
             for found in partitions.read(file, "disk")],
            [(1, 2048, 4096, "0x83", "feed1234-01"), (5, 8202, 100, "0x83", "feed1234-05"),
             (6, 12308, 180, "0x07", "feed1234-06")])

    def test_chains_end(self):
        file = mbr_disk({0: [(0x05, 64, 8192)], 64: [(0x83, 1, 1), (0x05, 64, 1)],
                         128: [(0x83, 1, 1), (0x05, 64, 1)]})
        self.assertLess(len(partitions.read(file, "disk")), 64)

    def test_without_a_table_the_disk_is_one(self):
        self.assertEqual(partitions.read(io.BytesIO(bytes(4096)), "disk"),
                         [partitions.Partition(0, 0, 4096)])
        with self.assertRaisesRegex(Failure, "disk: is no disk image"):
            partitions.read(io.BytesIO(b"short"), "disk")
        with self.assertRaisesRegex(Failure, "qcow2 image: .*-O raw"):
            partitions.read(io.BytesIO(b"QFI\xfb".ljust(4096, b"\0")), "disk")


class BootFilesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        mock.patch.dict("os.environ", {"PATH": PATH}).start()
        mock.patch.object(packages, "ensure").start()
        self.addCleanup(mock.patch.stopall)

    def fill(self, image, partition, files):
        tree = self.folder / f"tree{partition.number}"
        for name, data in files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(data)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, "-E",
                        f"offset={partition.start}", image, f"{partition.size // 1024}k"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def image(self, *contents):
        """A disk with a table, or without where one file system is all: 8 MiB each."""
        image = self.folder / "a disk?-.img"
        size = (len(contents) * 8 + 2) * MEBIBYTE
        found = [partitions.Partition(index + 1, MEBIBYTE * (1 + 8 * index), 8 * MEBIBYTE)
                 for index in range(len(contents))]
        image.write_bytes(mbr_disk({0: [(0x83, part.start // 512, part.size // 512)
                                        for part in found]}, size).getvalue())
        for part, files in zip(found, contents):
            self.fill(image, part, files)
        return image

    def test_newest_kernel_and_its_files(self):
        image = self.image({"boot/vmlinuz-6.1.0-9-amd64": BZIMAGE,
                            "boot/initrd.img-6.1.0-9-amd64": b"old",
                            "boot/vmlinuz-6.1.0-10-amd64": BZIMAGE + b"new",
                            "boot/initrd.img-6.1.0-10-amd64": b"new initrd",
                            "boot/vmlinuz-6.2.0-without": BZIMAGE, "etc/fstab": b""})
        kernel, initrd, root = boot_files.extract(image, self.folder / "out")
        self.assertEqual(kernel.read_bytes(), BZIMAGE + b"new")
        self.assertEqual(initrd.read_bytes(), b"new initrd")
        self.assertRegex(root, "^root=UUID=[0-9a-f]{8}-")

    def test_names_of_other_distributions(self):
        for kernel, initrd in (("vmlinuz-linux", "initramfs-linux.img"),
                               ("vmlinuz-5.3-default", "initrd-5.3-default")):
            found = boot_files.find(self.image(
                {f"boot/{kernel}": BZIMAGE, f"boot/{initrd}": b"i",
                 "boot/vmlinuz-9-rescue-77": BZIMAGE, "boot/initramfs-9-rescue-77.img": b"r"}))
            self.assertEqual((found.kernel, found.initrd), (f"/boot/{kernel}", f"/boot/{initrd}"))

    def test_boot_is_a_partition(self):
        image = self.image({"vmlinuz-6.1": BZIMAGE, "initrd.img-6.1": b"i"},
                           {"etc/fstab": b"", "boot/nothing": b""})
        found = boot_files.find(image)
        with image.open("rb") as file:
            block = partitions.read_at(file, 9 * MEBIBYTE + 1024, 1024)
        self.assertEqual((found.kernel, found.partition.number), ("/vmlinuz-6.1", 1))
        self.assertEqual(found.root.replace("-", "")[10:], block[0x68:0x78].hex())

    def test_without_a_ram_disk_the_partition_is_named(self):
        found = boot_files.find(self.image({"boot/vmlinuz-6.1": BZIMAGE}))
        self.assertEqual((found.initrd, found.root), ("", "root=PARTUUID=feed1234-01"))

    def test_what_is_no_image(self):
        for files, text in (({"boot/readme": b""}, "there is no vmlinuz-VERSION"),
                            ({"vmlinuz-6.1": BZIMAGE}, "no ext file system with /etc/fstab"),
                            ({"boot/vmlinuz-6.1": b"some text" * 99}, "is no kernel for a PC")):
            with self.subTest(text=text), self.assertRaisesRegex(Failure, text):
                boot_files.extract(self.image(files), self.folder / "out")
        (self.folder / "text").write_bytes(b"no disk" * 1000)
        with self.assertRaisesRegex(Failure, "has no ext2, ext3 or ext4"):
            boot_files.find(self.folder / "text")

    def words(self, name):
        """The composer's options for a description that names the image by boot=."""
        description = self.folder / "my.system"
        description.write_text(f'<system><virtual_machine boot="{name}"/>'
                               f'<virtual_machine boot="{name}"/><virtual_machine/></system>')
        with mock.patch.object(places, "BUILD", self.folder / "build"), \
                mock.patch.object(packages, "ensure"):
            return list(boot_images.words(description))

    def test_its_files_are_the_composers(self):
        made = self.image({"etc/fstab": b"x", "boot/vmlinuz-1": BZIMAGE,
                           "boot/initrd.img-1": b"initrd"})
        option, name, kernel, initrd, root = self.words(made.name)
        self.assertEqual((option, name), ("--boot-files", made.name))
        self.assertEqual(kernel.read_bytes(), BZIMAGE)
        self.assertEqual(initrd.read_bytes(), b"initrd")
        self.assertRegex(root, "^root=UUID=")

    def test_one_that_is_not_there_is_left_to_the_composer(self):
        self.assertEqual(self.words("none.img"), [])

    def described(self, *guests):
        """A description of guests, each an image and the driver of its disk."""
        description = self.folder / "my.system"
        description.write_text("<system>" + "".join(
            f'<virtual_machine boot="{image}"><disk {disk}/></virtual_machine>'
            for image, disk in guests) + "</system>")
        return description

    def test_it_is_the_machines_disk_if_it_is_the_only_one_of_its_driver(self):
        one, two = self.folder / "one.img", self.folder / "two.img"
        for image in (one, two):
            image.touch()
        for guests, disks in (
                ([("one.img", 'driver="virtio"')], {"virtio": one}),
                ([("one.img", 'driver="ata"'), ("two.img", 'driver="nvme"')],
                 {"ide": one, "nvme": two}),
                ([("one.img", 'driver="ahci"')] * 2, {"ahci": one}),
                ([("one.img", 'driver="ahci"'), ("two.img", 'driver="ahci"')], {}),
                ([("one.img", 'image="one.img"')], {}),
                ([("one.img", 'driver="floppy"')], {}),
                ([("none.img", 'driver="virtio"')], {})):
            with self.subTest(guests=guests):
                self.assertEqual(boot_images.machine_disks(self.described(*guests)), disks)

    def test_it_is_a_disk_that_the_guest_drives_itself(self):
        (self.folder / "one.img").touch()
        description = self.folder / "my.system"
        for condition, kind in (('class="0108"', "nvme"), ('class="0106"', "ahci"),
                                ('class="0200"', None), ('id="1b36:0010"', None)):
            description.write_text(f'<system><virtual_machine boot="one.img">'
                                   f'<passthrough {condition}/></virtual_machine></system>')
            with self.subTest(condition=condition):
                self.assertEqual(boot_images.machine_disks(description),
                                 {kind: self.folder / "one.img"} if kind else {})

    def test_how_to_come_by_those_that_are_missing_is_said(self):
        (self.folder / "one.img").touch()
        description = self.described(("one.img", ""), ("none.img", ""), ("debian.img", ""))
        with mock.patch.object(places, "GUEST", self.folder / "guest"):
            debians, none = boot_images.advice(description)
        self.assertIn("./nacre guest debian", debians)
        self.assertIn("none.img", none)


def options(**changes):
    return types.SimpleNamespace(**{
        "kernel": "amd64", "include": [], "size": "2G", "hostname": "debian", "no_ssh_key": False,
        "ssh_key": [], "force": False, "output": None, **changes})


class UnpackTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.archive = self.folder / "archive.tar"
        with tarfile.open(self.archive, "w", format=tarfile.PAX_FORMAT) as members:
            member = tarfile.TarInfo("bin/ping")
            member.mode, member.size = 0o755, 4
            member.pax_headers["SCHILY.xattr.security.capability"] = CAPABILITY.decode()
            members.addfile(member, io.BytesIO(b"ping"))

    def test_attributes_are_those_of_the_archive(self):
        self.assertEqual(list(unpack.attributes(self.archive)),
                         [("bin/ping", "security.capability", CAPABILITY)])

    def test_fakeroot_knows_a_file_with_capabilities_as_a_file(self):
        tree = self.folder / "tree"
        tree.mkdir()
        said = subprocess.run(
            ["fakeroot", "sh", "-c", 'python3 "$0" "$1" "$2" && stat -c %F:%u:%a "$2/bin/ping"',
             unpack.__file__, self.archive, tree], stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual(said.stdout, "regular file:0:755\n")


class ArchiveTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(mock.patch.stopall)
        mock.patch.object(bookworm, "FOLDER", pathlib.Path(folder.name)).start()
        mock.patch.object(packages, "ensure").start()
        mock.patch.object(bookworm, "step").start()
        self.addCleanup(bookworm.update.cache_clear)
        bookworm.update.cache_clear()

    def apt(self, status, text):
        return mock.patch.object(packages, "run_apt", return_value=subprocess.CompletedProcess(
            [], status, text))

    def test_backports_are_an_archive_of_their_own(self):
        for suite, lines in ((bookworm.SUITE, 3), (bookworm.BACKPORTS, 1)):
            with self.apt(0, "") as apt:
                bookworm.update(suite)
                bookworm.update(suite)
            apt.assert_called_once()
            text = (bookworm.FOLDER / suite / "sources.list").read_text()
            self.assertEqual(text.count(f" {suite} main\n"), 1)
            self.assertEqual(text.count("deb [signed-by="), lines)

    def test_a_suite_that_is_not_there_is_named(self):
        with self.apt(100, "E: The repository 'http://x' does not have a Release file."), \
                self.assertRaisesRegex(Failure, "^the lists of bookworm-backports cannot be fetched"
                                       ": E: The repository 'http://x' does not have a Rel"):
            bookworm.files("linux-image-amd64", bookworm.BACKPORTS, {})

    def test_a_package_that_is_not_there_is_named(self):
        with self.apt(0, ""), mock.patch.object(debs, "package_field", return_value=None), \
                self.assertRaisesRegex(Failure, "^bookworm-backports has no linux-image-amd64$"):
            bookworm.files("linux-image-amd64", bookworm.BACKPORTS, {})


class DebianTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        mock.patch.object(pathlib.Path, "home", lambda: self.folder).start()
        self.addCleanup(mock.patch.stopall)

    def key(self, name="id_ed25519.pub", text="ssh-ed25519 AAAAC3Nz person@host\n"):
        path = self.folder / ".ssh" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def test_options(self):
        want = debian.wanted(options(include=["git,nano"], size="1500M"))
        self.assertEqual((want.size, want.keys), (1500 * MEBIBYTE, ()))
        self.assertIn("git", want.packages())
        self.assertIn("linux-image-amd64", want.packages())
        for change in ({"size": "3"}, {"size": "big"}, {"size": "100M"}, {"hostname": "a b"},
                       {"hostname": "-a"}, {"include": ["rm -rf"]}):
            with self.subTest(change=change), self.assertRaises(Misuse):
                debian.wanted(options(**change))

    def test_keys(self):
        self.key()
        self.assertEqual(debian.wanted(options()).keys, ("ssh-ed25519 AAAAC3Nz person@host",))
        self.assertEqual(debian.wanted(options(no_ssh_key=True)).keys, ())
        private = self.key("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
        with self.assertRaisesRegex(Misuse, "is no public ssh key"):
            debian.wanted(options(ssh_key=[private]))

    def test_mirrors_that_only_this_host_reaches_are_not_the_guests(self):
        rows = ("http://mirror.example/debian Debian/Debian/main\n"
                "http://localhost:3142/security Debian/Debian-Security/main\n")
        self.assertEqual(debian.sources(rows), [
            "deb http://mirror.example/debian bookworm main",
            "deb http://mirror.example/debian bookworm-updates main",
            "deb http://deb.debian.org/debian-security bookworm-security main"])
        command = debian.mmdebstrap_command(
            debian.wanted(options()), "root.tar",
            'Acquire::Retries "3";\nAcquire::http::Proxy "http://127.0.0.1:3142";\n', rows)
        self.assertIn('--aptopt=Acquire::Retries "3"', command)
        self.assertIn("http_proxy=http://127.0.0.1:3142", command)
        self.assertFalse([word for word in command if word.startswith("--aptopt=Acquire::http::P")])

    def test_overlay(self):
        self.key()
        folder = self.folder / "overlay"
        folder.mkdir()
        debian.write_overlay(folder, debian.wanted(options(hostname="first")), "1-2-3")
        self.assertEqual((folder / "etc/hostname").read_text(), "first\n")
        self.assertIn("UUID=1-2-3\t/", (folder / "etc/fstab").read_text())
        self.assertIn("person@host", (folder / "root/.ssh/authorized_keys").read_text())
        self.assertEqual((folder / "root/.ssh").stat().st_mode & 0o777, 0o700)
        self.assertTrue((folder / "etc/ssh/sshd_config.d/nacre.conf").is_file())

    def test_an_image_with_data_is_not_replaced(self):
        target = self.folder / "debian.img"
        want = debian.wanted(options())
        target.write_bytes(b"data")
        with self.assertRaisesRegex(Misuse, "--force"):
            debian.is_made(want, target)
        debian.stamp_path(target).write_text(debian.stamp(want))
        self.assertTrue(debian.is_made(want, target))
        with self.assertRaisesRegex(Misuse, "other options"):
            debian.is_made(debian.wanted(options(size="3G")), target)


if __name__ == "__main__":
    unittest.main()
