# SPDX-License-Identifier: BSD-2-Clause
"""Descriptions of machines, packing, and how results are read and counted."""

import dataclasses
import io
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import cli, commands, places, version  # noqa: E402
from nacre.machine import bochs, disks, network, qemu  # noqa: E402
from nacre.pack import debs, grub, iso, secure_boot  # noqa: E402
from nacre.report import Failure  # noqa: E402
from nacre.test import results  # noqa: E402


class BochsTest(unittest.TestCase):
    def test_settings_reach_the_description(self):
        text = bochs.config_text(bochs.Settings(
            iso="/x/a b.iso", serial=bochs.serial_socket(4711), memory=512, sync="slowdown"))
        self.assertIn('path="/x/a b.iso"', text)
        self.assertIn("dev=127.0.0.1:4711", text)
        self.assertIn("guest=512, host=512", text)
        self.assertIn("sync=slowdown", text)

    def test_ending_is_read_from_the_log(self):
        with tempfile.TemporaryDirectory() as directory:
            log = pathlib.Path(directory) / "bochs.log"
            self.assertIn("did not start", bochs.ending(directory, 0))
            log.write_text("0p[IODEBUG] >>PANIC<< Shutdown port: shutdown requested\n")
            self.assertIsNone(bochs.ending(directory, 0))
            log.write_text("0p[CPU0 ] >>PANIC<< exception(): 3rd (13) exception\n")
            self.assertIn("3rd (13)", bochs.ending(directory, 0))


class QemuTest(unittest.TestCase):
    def test_modules_with_commas_are_quoted(self):
        command = qemu.prepare(qemu.Settings(port=1, kernel="k", modules=("a,b", "c")), "/tmp")
        self.assertEqual(command[command.index("-initrd") + 1], "a,,b,c")

    def test_notes_are_modules_with_their_bare_names(self):
        with tempfile.TemporaryDirectory() as directory:
            command = qemu.prepare(
                qemu.Settings(port=1, kernel="k", modules=("/a/b",), notes=("c+d",)), directory)
            self.assertEqual(command[command.index("-initrd") + 1], "/a/b,c+d")
            self.assertGreater((pathlib.Path(directory) / "c+d").stat().st_size, 0)

    def test_exit_codes(self):
        self.assertIsNone(qemu.ending(0))
        self.assertIsNone(qemu.ending(1))
        self.assertIn("code 3", qemu.ending(7))
        self.assertIn("status -9", qemu.ending(-9))


class DisksTest(unittest.TestCase):
    def test_bochs_boots_from_the_other_channel(self):
        text = bochs.config_text(bochs.Settings(
            iso="/x.iso", serial="s", disks=disks.Disks(ide=pathlib.Path("/d.img"))))
        self.assertIn('ata0-master: type=disk, mode=flat, path="ide.disk"', text)
        self.assertIn('ata1-master: type=cdrom, path="/x.iso"', text)
        for kind in ("ahci", "virtio", "nvme"):
            with self.assertRaisesRegex(Failure, f"--{kind}-disk"):
                bochs.config_text(bochs.Settings(
                    iso="/x.iso", serial="s", disks=disks.Disks(**{kind: pathlib.Path("/d")})))

    def test_qemu_attaches_all_kinds(self):
        words = qemu.prepare(qemu.Settings(port=1, kernel="k", disks=disks.Disks(
            *map(pathlib.Path, ("/a,b", "/c", "/d", "/e")))), "/tmp")
        self.assertIn("if=none,id=ide-disk,format=raw,file=/a,,b", words)
        self.assertIn("ide-hd,bus=ide.0,unit=0,drive=ide-disk", words)
        self.assertIn("ide-hd,bus=ahci.0,drive=ahci-disk", words)
        self.assertIn("virtio-blk-pci,addr=0xa,disable-legacy=on,iommu_platform=on,"
                      "drive=virtio-disk", words)
        self.assertIn("nvme,addr=0xe,serial=nacre,drive=nvme-disk", words)
        self.assertIn("if=none,id=nvme-disk,format=raw,file=/e", words)

    def test_slots_beside_an_iommu_are_others(self):
        """Whose line the firmware of that machine leads to pin 10, too."""
        words = qemu.prepare(qemu.Settings(port=1, kernel="k", iommu="intel", disks=disks.Disks(
            None, *map(pathlib.Path, ("/c", "/d", "/e")))), "/tmp")
        self.assertIn("ahci,id=ahci,addr=5", words)
        self.assertIn("nvme,addr=0xd,serial=nacre,drive=nvme-disk", words)
        self.assertTrue(any(word.startswith("virtio-blk-pci,addr=9,") for word in words))

    def test_each_kind_has_its_option(self):
        """And a field of Disks; `./nacre run` puts the option's file there."""
        self.assertEqual([field.name for field in dataclasses.fields(disks.Disks)],
                         list(disks.KINDS))
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(512))
            file.flush()
            for name, kind in disks.KINDS.items():
                options = cli.parse(["run", kind.option, file.name])
                self.assertEqual(commands.machine_disks(options),
                                 disks.Disks(**{name: pathlib.Path(file.name)}))

    def test_files_are_checked(self):
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "disk"
            with self.assertRaisesRegex(Failure, "--disk .*no such file.*truncate"):
                disks.checked(ide=file)
            file.write_bytes(bytes(513))
            with self.assertRaisesRegex(Failure, "--ahci-disk .*513 bytes"):
                disks.checked(ahci=file)
            file.write_bytes(bytes(1024))
            self.assertEqual(disks.checked(ide=file, nvme=None), disks.Disks(file))


class PassthroughTest(unittest.TestCase):
    """What `./nacre run` attaches for guests that drive devices themselves."""

    def attached(self, conditions, *words):
        with tempfile.TemporaryDirectory() as directory:
            description = pathlib.Path(directory) / "a.system"
            description.write_text("<system>" + "".join(
                f"<passthrough {condition}/>" for condition in conditions) + "</system>")
            options = cli.parse(["run", str(description), *words])
            with mock.patch.object(commands, "step"):
                return commands.wire(options), commands.iommu(options)

    def test_they_have_an_iommu_unless_it_is_another(self):
        for conditions, words, right in (([], [], ""), (['class="0108"'], [], "intel"),
                                         (['class="0108"'], ["--amd-iommu"], "amd"),
                                         (['class="0108"'], ["--emulator", "bochs"], "")):
            with self.subTest(conditions=conditions, words=words):
                self.assertEqual(self.attached(conditions, *words)[1], right)

    def test_a_card_of_their_own_is_there_unless_it_is_refused(self):
        for condition, words, right in (
                ('class="0108"', [], None),
                ('class="0200"', [], network.Network("user", card="e1000e")),
                ('class="0200"', ["--network", "4000"],
                 network.Network("frames", port=4000, card="e1000e")),
                ('class="0200"', ["--network", "none"], None)):
            with self.subTest(condition=condition, words=words):
                self.assertEqual(self.attached([condition], *words)[0], right)


class DescriptionTest(unittest.TestCase):
    def test_a_folder_stands_for_the_file_of_its_name(self):
        with tempfile.TemporaryDirectory() as directory:
            folder = pathlib.Path(directory) / "lamp"
            folder.mkdir()
            self.assertEqual(cli.parse(["run", str(folder)]).system, folder)
            (folder / "lamp.system").touch()
            for command in ("run", "build", "iso"):
                self.assertEqual(cli.parse([command, str(folder)]).system, folder / "lamp.system")


class IsoTest(unittest.TestCase):
    def test_template_is_filled(self):
        self.assertEqual(iso.fill_template("a @B@ c", {"B": "x"}), "a x c")

    def test_unknown_name_is_refused(self):
        with self.assertRaises(Failure):
            iso.fill_template("a @B@ c", {})

    def test_missing_file_is_named(self):
        with tempfile.TemporaryDirectory() as directory, self.assertRaises(Failure) as caught:
            iso.pack_nacre(pathlib.Path(directory) / "x.iso", "/nowhere/kernel.elf", {})
        self.assertIn("/nowhere/kernel.elf", str(caught.exception))


    def test_an_iso_depends_on_its_contents_only(self):
        """Its bytes, and the name by which GRUB finds it among other media."""
        made = {}
        with tempfile.TemporaryDirectory() as directory:
            folder = pathlib.Path(directory)
            for name, text in (("a", "kernel"), ("b", "kernel"), ("c", "another")):
                (folder / "kernel.elf").write_text(text)
                iso.pack_nacre(folder / f"{name}.iso", folder / "kernel.elf", {})
                made[name] = (folder / f"{name}.iso").read_bytes()
        self.assertEqual(made["a"], made["b"])
        # ISO 9660 8.4.27: when the volume was last changed.
        names = {data[16 * 2048 + 830:][:16] for data in made.values()}
        self.assertEqual(len(names), 2)
        self.assertEqual(made["a"].count(iso.dashed(min(names).decode()).encode())
                         + made["a"].count(iso.dashed(max(names).decode()).encode()), 1)

    def test_the_safe_entry_has_options_that_there_are(self):
        """All mitigations, and others of the documented ones."""
        text = (iso.GRUB_FOLDER / "grub.cfg").read_text()
        documented = (places.ROOT / "docs" / "reference" / "boot-options.md").read_text()
        options, mitigations = documented.split("## Mitigations")
        switched = re.findall(r"([\w-]+)=on\b", text)
        self.assertEqual(sorted(switched),
                         sorted(re.findall(r"^\| `([\w-]+)` \|", mitigations, re.MULTILINE)))
        for line in re.findall(r"^\tnacre (.+)$", text, re.MULTILINE):
            for name in re.findall(r"([\w-]+)=", line):
                self.assertIn(f"\n| `{name}` |", options)

    def test_menus_load_their_modules(self):
        """GRUB finds no commands by itself: lists of commands are not on the medium."""
        for template, names in iso.MODULES.items():
            text = (iso.GRUB_FOLDER / template).read_text()
            for name in {*names, *iso.BIOS_MODULES[template], *iso.UEFI_MODULES[template]}:
                with self.subTest(template=template, module=name):
                    self.assertTrue(name == "normal" or f"insmod {name}\n" in text)

    def test_a_missing_key_is_named(self):
        with self.assertRaisesRegex(Failure, "--sign: /nowhere/key: there is no such file"):
            secure_boot.check((pathlib.Path("/nowhere/key"), pathlib.Path("/nowhere/pem")))

    def test_modules_come_with_what_they_need(self):
        found = grub.needed_modules(grub.BIOS, ["multiboot2"])
        self.assertLessEqual({"multiboot2", "boot", "relocator"}, set(found))
        with self.assertRaisesRegex(Failure, "no module multiboot9"):
            grub.needed_modules(grub.UEFI, ["multiboot9"])


class VersionTest(unittest.TestCase):
    """One version, in meson.build."""

    def test_the_command_tells_it(self):
        said = subprocess.run([places.ROOT / "nacre", "--version"], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
        self.assertEqual(said, f"Nacre {version.number()}\n")
        self.assertRegex(version.number(), r"^\d+\.\d+\.\d+$")
        text = (places.ROOT / "meson.build").read_text()
        self.assertIn(f"version: '{version.number()}'", text)

    def test_the_change_log_has_it(self):
        text = (places.ROOT / "CHANGELOG.md").read_text()
        self.assertRegex(text, rf"(?m)^## \[{re.escape(version.number())}\]")

    def test_an_iso_has_it_as_label(self):
        with tempfile.TemporaryDirectory() as directory:
            folder = pathlib.Path(directory)
            (folder / "kernel.elf").write_bytes(b"no kernel")
            iso.pack_nacre(folder / "x.iso", folder / "kernel.elf", {})
            with (folder / "x.iso").open("rb") as file:
                file.seek(16 * 2048 + 40)
                label = file.read(32).decode().rstrip()
        self.assertEqual(label, "NACRE_" + version.number().replace(".", "_"))


class PackageTest(unittest.TestCase):
    def test_kernel_package_is_found_in_the_depends(self):
        original = debs.package_field
        debs.package_field = lambda *_: "linux-image-6.1.0-56-amd64 (= 6.1.192-2), x"
        try:
            self.assertEqual(debs.kernel_package(), "linux-image-6.1.0-56-amd64")
        finally:
            debs.package_field = original


class ResultsTest(unittest.TestCase):
    def test_lines_of_programs(self):
        text = ("boot: x\r\nPASS cnode.copy a copy has the rights asked for\r\n"
                "[tests] FAIL tcb.1 it stops\nSKIP vcpu.1 no VT-x\nok uart/7 bytes\n"
                "PASSED over\ntests done\n")
        self.assertEqual([(found.name, found.outcome)
                          for found in results.parse_lines(text, "kernel")], [
            ("kernel/cnode.copy", results.PASSED), ("kernel/tcb.1", results.FAILED),
            ("kernel/vcpu.1", results.SKIPPED), ("kernel/uart/7", results.PASSED)])

    def test_summary_ends_with_the_counts_alone(self):
        tally = results.Tally()
        tally.results += [results.passed("a"), results.failed("b", "why", "log"),
                          results.skipped("c", "")]
        lines = tally.summary().splitlines()
        self.assertEqual(lines[-1], "1 passed, 1 failed, 1 skipped")
        self.assertIn("  b: why (log)", lines)


class CommandLineTest(unittest.TestCase):
    def test_steps_keep_their_order(self):
        options = cli.parse(["run", "--until", "a", "--send", "b", "--until", "c"])
        self.assertEqual(options.steps, [("until", "a"), ("send", "b"), ("until", "c")])

    def test_no_steps_unless_given(self):
        self.assertEqual(cli.parse(["run"]).steps, [])

    def test_absurd_values_are_refused(self):
        for words in (["run", "--timeout", "-3"], ["run", "--timeout", "nan"],
                      ["run", "--linger", "-1"], ["run", "--until", ""],
                      ["fuzz", "--count", "0"], ["fuzz", "--count", "many"]):
            with self.subTest(words=words), mock.patch.object(sys, "stderr", io.StringIO()) as said:
                with self.assertRaises(SystemExit) as ended:
                    cli.parse(words)
                self.assertEqual(ended.exception.code, 2)
                self.assertIn(f"argument {words[1]}: ", said.getvalue())


if __name__ == "__main__":
    unittest.main()
