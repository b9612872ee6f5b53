# SPDX-License-Identifier: BSD-2-Clause
"""Where results are written: files whole or not at all, links and devices left what they are."""

import io
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

from composing import MR, ROOT, Composer, pd
from compose import output  # isort: skip
from nacre import build, cli, packages, report
from nacre.machine import kvm
from nacre.pack import beside, product, system_image

TOOL = ROOT / "tools" / "compose.py"


class Output(unittest.TestCase):
    """The one helper all host tools write with."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def test_a_file_is_replaced_and_keeps_its_mode(self):
        target = self.path / "file"
        target.write_bytes(b"old")
        target.chmod(0o640)
        output.write(target, b"new")
        self.assertEqual(target.read_bytes(), b"new")
        self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o640)

    def test_a_new_file_has_the_mode_of_any_other(self):
        output.write(self.path / "made", "text")
        (self.path / "other").write_text("text")
        self.assertEqual((self.path / "made").stat().st_mode, (self.path / "other").stat().st_mode)

    def test_a_link_is_followed(self):
        (self.path / "file").write_bytes(b"old")
        for place in ("file", "not yet there"):
            (self.path / "link").symlink_to(place)
            output.write(self.path / "link", b"new")
            self.assertTrue((self.path / "link").is_symlink())
            self.assertEqual((self.path / place).read_bytes(), b"new")
            (self.path / "link").unlink()

    def test_a_link_to_a_device_stays(self):
        (self.path / "link").symlink_to("/dev/null")
        output.write(self.path / "link", b"new")
        self.assertEqual(os.readlink(self.path / "link"), "/dev/null")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_a_pipe_is_written_through(self):
        pipe = self.path / "pipe"
        os.mkfifo(pipe)
        read = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
        reader.start()
        output.write(pipe, b"through")
        reader.join()
        self.assertEqual(read, [b"through"])
        self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))

    def test_two_at_once_write_whole_files(self):
        target = self.path / "file"
        with output.making(target) as first, output.making(target) as second:
            pathlib.Path(first).write_bytes(b"first")
            pathlib.Path(second).write_bytes(b"second")
        self.assertEqual(target.read_bytes(), b"first")
        self.assertEqual(os.listdir(self.path), ["file"])

    def test_a_failure_leaves_what_was_there(self):
        (self.path / "file").write_bytes(b"old")
        with self.assertRaises(ZeroDivisionError), output.making(self.path / "file") as made:
            pathlib.Path(made).write_bytes(b"half")
            raise ZeroDivisionError
        self.assertEqual((self.path / "file").read_bytes(), b"old")
        self.assertEqual(os.listdir(self.path), ["file"])

    def test_an_error_names_the_file_that_was_asked_for(self):
        for place in ("missing/file", "."):
            with self.assertRaises(OSError) as caught:
                output.write(self.path / place, b"")
            self.assertEqual(caught.exception.filename, str(self.path / place))


class Composing(Composer):
    """The composer's outputs."""

    def run_tool(self, *words, **streams):
        (self.path / "test.system").write_text(f"<system>{MR}{pd()}</system>")
        return subprocess.run([sys.executable, "-B", str(TOOL), "test.system", *words],
                              cwd=self.path, stderr=subprocess.PIPE, text=True, check=False,
                              **streams)

    def test_a_report_into_a_device(self):
        (self.path / "report").symlink_to("/dev/null")
        result = self.run_tool("--system-image", "image", "-r", "report")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue((self.path / "report").is_symlink())

    def test_a_neighbour_s_partial_file_is_no_hindrance(self):
        (self.path / "image.partial").mkdir()
        result = self.run_tool("--system-image", "image")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_report_into_a_pipe(self):
        result = self.run_tool("--system-image", "image", "-r", "/dev/stdout",
                               stdout=subprocess.PIPE)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("a.elf", result.stdout)

    def test_a_closed_pipe_is_named(self):
        reader, writer = os.pipe()
        os.close(reader)
        # An unused region is warned of.
        result = self.run_tool("--system-image", "image", stdout=writer)
        os.close(writer)
        self.assertEqual(result.returncode, 1)
        self.assertIn("the output was closed", result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_the_command_s_closed_pipe_is_named(self):
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run([ROOT / "nacre", "test", "--list"], stdout=writer,
                                stderr=subprocess.PIPE, text=True, check=False)
        os.close(writer)
        self.assertEqual(result.returncode, 1)
        self.assertIn("nacre: the output was closed", result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_a_full_output_is_named(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([ROOT / "nacre", "test", "--list"], stdout=full,
                                    stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "nacre: the output was full before all of it was written\n")

    def test_an_iso_is_booted_as_it_is(self):
        for words in (["FILE.system"], ["--release"], ["--arguments", "log=all"]):
            with mock.patch.object(sys, "stderr", io.StringIO()) as said:
                self.assertEqual(cli.main(["run", "--iso", "FILE.iso", *words]), 2)
            self.assertIn("--iso boots an ISO as it is", said.getvalue())

    def test_what_is_no_iso_is_named(self):
        for path, why in ((ROOT / "README.md", "README.md: is no ISO"),
                          (self.path / "empty", "empty: is no ISO"),
                          (self.path / "none.iso", "none.iso: there is no such ISO")):
            with mock.patch.object(packages, "ensure") as ensured, \
                    mock.patch.object(sys, "stderr", io.StringIO()) as said:
                self.assertEqual(cli.main(["run", "--iso", str(path)]), 1)
            self.assertIn(why, said.getvalue())
            ensured.assert_not_called()

    def test_an_impossible_machine_is_refused_before_the_build(self):
        system = str(ROOT / "examples" / "hello" / "hello.system")
        (self.path / "disk").write_bytes(bytes(512))
        disk = ["--emulator", "bochs", "--ahci-disk", str(self.path / "disk")]
        for words, why in ((["run", system, "--memory", "10"], "with less than 64 MiB"),
                           (["run", "--cores", "0", "--emulator", "bochs"], "--cores 0: Bochs"),
                           (["run", *disk], "nothing for --ahci-disk"),
                           (["boot", "--kernel-only", "x", "--memory", "1"], "with less than 64")):
            with self.subTest(words=words), mock.patch.object(packages, "ensure"), \
                    mock.patch.object(build, "compile_all") as compiled, \
                    mock.patch.object(kvm, "probe", lambda: (None, "no KVM")), \
                    mock.patch.object(sys, "stderr", io.StringIO()) as said:
                self.assertEqual(cli.main(words), 1)
                self.assertIn(why, said.getvalue())
                compiled.assert_not_called()

    def test_a_missing_description_is_named_before_the_build(self):
        with mock.patch.object(build, "compile_all") as compiled, \
                mock.patch.object(sys, "stderr", io.StringIO()) as said:
            self.assertEqual(cli.main(["build", str(self.path / "no.system")]), 1)
            self.assertEqual(cli.main(["build", str(self.path)]), 1)
        self.assertIn("no.system: there is no such system description", said.getvalue())
        self.assertIn(f"{self.path}: is a folder; name the .system file in it", said.getvalue())
        compiled.assert_not_called()

    def test_no_file_beside_the_iso_is_lost(self):
        """Above all no disk of a guest, which has the name of the packed system."""
        description = self.path / "test.system"
        description.write_text("<system/>")
        for name in ("disk.img", "disk.report", "disk.html", "disk.arguments"):
            beside_it = self.path / name
            for target, why in ((self.path / "disk.iso", f"{name}: is there and no build made it"),
                                (beside_it, f"{name}: such a name is that of a file beside")):
                beside_it.write_bytes(bytes(1 << 20) + b"NACRESYS")
                with self.subTest(target=target), \
                        mock.patch.object(build, "compile_all") as compiled, \
                        mock.patch.object(sys, "stderr", io.StringIO()) as said:
                    self.assertEqual(cli.main(["build", str(description), "-o", str(target)]), 2)
                    self.assertIn(why, said.getvalue())
                    compiled.assert_not_called()
                self.assertEqual(beside_it.read_bytes(), bytes(1 << 20) + b"NACRESYS")
                beside_it.unlink()

    def test_files_of_an_earlier_build_are_replaced(self):
        description = self.path / "test.system"
        description.write_text(f"<system>{pd()}</system>")
        target = self.path / "test.iso"
        for arguments in ("", "log=all"):
            with mock.patch.object(build, "compile_all"), \
                    mock.patch.object(build, "search_path", list), \
                    mock.patch.object(build, "artefact", lambda name: TOOL), \
                    mock.patch.object(packages, "ensure"), \
                    mock.patch.object(product.iso, "pack_nacre") as packed:
                product.make_iso(description, target, arguments=arguments)
            packed.assert_called_once()
            made = {path.suffix for path in self.path.glob("test.*")}
            self.assertEqual(made, {".system", *beside.MARKS})
        beside.check(target)
        target.with_suffix(beside.IMAGE).write_bytes(b"")
        beside.check(target)

    def test_the_sources_of_a_missing_program_are_named(self):
        description = self.path / "test.system"
        description.write_text(f"<system>{pd(image_path='lamp.elf')}</system>")
        with self.assertRaisesRegex(report.Failure, "(?s)program 'lamp.elf' not found in .*\n"
                                    "lamp.elf is made of lamp.c, or of the C files of the folder "
                                    "lamp/, if it is beside the description$"):
            system_image.compose(description, self.path / "test.img")

    def test_the_command_names_what_it_cannot_write(self):
        for output_file, why in (("/dev/full", "/dev/full: No space left"),
                                 (self.path, "is a folder; name the file")):
            with mock.patch.object(product, "make_iso", wraps=product.make_iso) as make, \
                    mock.patch.object(sys, "stderr", io.StringIO()) as said:
                if output_file == "/dev/full":
                    make.side_effect = lambda *_: output.write("/dev/full", b"iso")
                self.assertEqual(cli.main(["build", "-o", str(output_file)]), 1)
            self.assertIn(why, said.getvalue())


if __name__ == "__main__":
    unittest.main()
