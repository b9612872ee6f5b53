# SPDX-License-Identifier: BSD-2-Clause
"""The checks of ci/ find what they are there to find."""

import configparser
import contextlib
import io
import pathlib
import re
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "ci"))

import check_citations  # noqa: E402
import check_clang  # noqa: E402
import check_habits  # noqa: E402
import check_layers  # noqa: E402
import check_size  # noqa: E402
import check_state  # noqa: E402
import check_symbols  # noqa: E402
import check_words  # noqa: E402
import source_tree  # noqa: E402

Path = pathlib.Path


class ClangTest(unittest.TestCase):
    def test_the_builds_command_becomes_one_of_clang(self):
        words = check_clang.command("ccache /usr/bin/gcc-14 -Isrc -flto=1 -Wall -MD -MQ a.o -MF "
                                    "a.d --param asan-globals=0 -O2 -o a.o -c '../a b.c'")
        self.assertEqual([word for word in words if word not in check_clang.OF_CLANG],
                         ["clang", "-Isrc", "-Wall", "-O2", "-c", "../a b.c",
                          "-fno-color-diagnostics", "-Werror", "-fsyntax-only"])


class LayersTest(unittest.TestCase):
    def test_rooms(self):
        self.assertEqual(source_tree.room_of(Path("src/kernel/cap/cap.h")),
                         "src/kernel/cap")
        self.assertEqual(source_tree.room_of(Path("src/arch/x86_64/entry/main.c")),
                         "src/arch/x86_64/entry")
        self.assertEqual(source_tree.room_of(Path("include/abi/error.h")), "include")
        self.assertEqual(source_tree.room_of(Path("tests/unit/a.c")), "tests")

    def test_upward_include_is_refused(self):
        self.assertIn("may not use src/kernel/cap", check_layers.problem_of_ours(
            "src/arch/x86_64/cpu", Path("src/kernel/cap/cap.h")))
        self.assertIsNotNone(check_layers.problem_of_ours(
            "src/kernel/cap", Path("src/kernel/sched/thread.h")))

    def test_downward_include_is_allowed(self):
        self.assertIsNone(check_layers.problem_of_ours("src/kernel/cap", Path("src/base/list.h")))
        self.assertIsNone(check_layers.problem_of_ours("src/kernel/cap", Path("include/abi/a.h")))
        self.assertIsNone(check_layers.problem_of_ours(
            "src/kernel/ipc", Path("src/kernel/sched/thread.h")))

    def test_user_program_sees_no_kernel_header(self):
        self.assertIsNotNone(check_layers.problem("src/vmm", "cpu/msr.h", None))
        self.assertIsNotNone(check_layers.problem_of_ours("src/root", Path("src/kernel/cap/cap.h")))

    def test_contract_stands_alone(self):
        self.assertIsNotNone(check_layers.problem_of_ours("include", Path("src/base/list.h")))

    def test_protocols_are_open_to_the_vmm_and_drivers_are_not(self):
        self.assertIsNone(check_layers.problem_of_ours(
            "src/vmm", Path("include/nacre/protocol/console.h")))
        self.assertIsNotNone(check_layers.problem_of_ours(
            "src/vmm", Path("src/drivers/serial/uart.h")))

    def test_libc_is_refused(self):
        self.assertIsNotNone(check_layers.problem("src/kernel/cap", "stdio.h", None))
        self.assertIsNone(check_layers.problem("src/kernel/cap", "stdint.h", None))
        self.assertIsNone(check_layers.problem("tests", "stdio.h", None))


class CitationsTest(unittest.TestCase):
    KNOWN = {"IPC-1": "ipc.md", "VCPU-2": "vcpu.md"}
    MANUAL = "SD" + "M"  # so that this file cites nothing

    def count(self, problems):
        return len(list(problems))

    def test_a_rule_that_is_not_there(self):
        text = "// IPC-1, IPC-" + "7 and VCPU-" + "30; MSI-1\n"
        found = list(check_citations.wrong_citations("a.c", text, self.KNOWN))
        self.assertEqual(len(found), 2)
        self.assertIn("a.c:1: ", found[0])

    def test_a_document_that_is_not_there(self):
        for text, problems in (("docs/limits.md", 0), ("see limits.md", 0), ("see nowhere.md", 1),
                               ("docs/reference/none.md 2", 1), ("NAME*.md", 0)):
            with self.subTest(text=text):
                self.assertEqual(
                    self.count(check_citations.wrong_documents("src/a.c", text)), problems)

    def test_a_manual_without_volume(self):
        for place, problems in ((" 3C 25.6.3)", 0), ("\n// 3A 4.5)", 0), (" 2A, IRET", 0),
                                (" 25.6.3", 1), (" says", 1)):
            text = self.MANUAL + place
            with self.subTest(text=text):
                self.assertEqual(self.count(check_citations.wrong_manuals("a.c", text)), problems)

    def test_a_rule_without_test(self):
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "rules.txt"
            with mock.patch.object(check_citations, "ROOT", Path(folder)), \
                    mock.patch.object(check_citations, "TESTS", table), \
                    mock.patch.object(check_citations, "test_names", lambda: {"one"}):
                for text, problems in (("IPC-1: one\nVCPU-2: untested: no such CPU\n", 0),
                                       ("IPC-1: one\n", 1), ("IPC-1: one\nVCPU-2:\n", 1),
                                       ("IPC-1: one two\nVCPU-2: one\n", 1),
                                       ("IPC-1: unit/a.c\nVCPU-2: one\n", 1)):
                    with self.subTest(text=text):
                        table.write_text(text)
                        self.assertEqual(
                            self.count(check_citations.wrong_tests(self.KNOWN)), problems)


class HabitsTest(unittest.TestCase):
    @staticmethod
    def problems(name, text):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(check_habits, "ROOT", Path(folder)), \
                mock.patch.object(check_habits, "includes", lambda path: []):
            file = Path(folder) / name
            file.write_text(text)
            return [number for number, _ in check_habits.check(file)]

    def test_a_blank_line_follows_declarations(self):
        good = ("static const int rows[] = {\n\t1,\n};\n\n"
                "int f(const struct a *a,\n\tint b) {\n\tstruct a copy = {\n\t\t.b = b,\n\t};\n"
                "\tint (*g)(void) = a->g, c;\n\n\tfor (int i = 0; i < b; i++) {\n\t\tint d;\n\n"
                "\t\tc = d;\n\t}\n\treturn c;\n}\n")
        self.assertEqual(self.problems("a.c", good), [])
        self.assertEqual(self.problems("a.c", good.replace("\t};\n\tint", "\t};\n\tf(b);\n\tint")),
                         [10])
        self.assertEqual(self.problems("a.c", good.replace("int d;\n\n", "int d;\n")), [14])

    def test_null_unused_parameters_prototypes_results(self):
        self.assertEqual(self.problems("a.c", "\tif (a == NULL) b();\n\t(void)a;\n"), [1, 2])
        self.assertEqual(self.problems("a.c", "\tif (!a) b();\n\t(void)a();\n"), [])
        self.assertEqual(
            self.problems("a.c", "void f(int a,\n\tint b);\nstatic int g(void);\n"), [2])
        self.assertEqual(self.problems("a.c", "void __called_by_compiler(void);\n"), [])
        self.assertEqual(self.problems("a.h", "bool f(void);\n[[nodiscard]] bool g(void);\n"
                                       "enum error h(int a);\nvoid i(void);\n"), [1, 3])

    def test_a_planted_fault_has_its_text_once(self):
        stop, go, wait = "\tstop();\n", "\tgo();\n", "\twait();\n"
        for texts, lost in (((stop, go, wait), 0), ((go, go, wait), 1), ((stop, go, go), 1),
                            ((stop, stop + go + go, wait), 1), (("", "", ""), 3)):
            with tempfile.TemporaryDirectory() as folder, \
                    mock.patch.object(check_habits, "ROOT", Path(folder)), \
                    contextlib.redirect_stdout(io.StringIO()) as said:
                (Path(folder) / "src").mkdir()
                for name, text, faults, guard in zip("abc", texts, check_habits.FAULTS,
                                                     ("stop", "go", "wait"), strict=True):
                    (Path(folder) / "src" / f"{name}.c").write_text(text)
                    file = Path(folder) / faults
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(f"fault {guard} X001 src/{name}.c it is gone\n"
                                    f"< \t{guard}();\n> \tif (!PLANTED) {guard}();\n")
                self.assertEqual(check_habits.faults_lost(), lost)
                self.assertEqual(said.getvalue().count(" has its text "), lost)


class WordsTest(unittest.TestCase):
    def test_private_words_are_refused(self):
        for line, problems in (("// No" + "body waits.", 1), ("run_" + "soon(thread);", 1),
                               ("CHECK_SOON(count != 0);", 0), ("// It is " + "told so.", 1),
                               ("// The body of a function, told in short.", 0)):
            self.assertEqual(len(list(check_words.check_dialect("a.c", 1, line))), problems, line)

    def test_what_is_not_text_is_small(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(check_words, "ROOT", Path(folder)):
            file = Path(folder) / "made.bin"
            for content, problems in ((b"\xff" * 100, 0), (b"\xff" * 10000, 1), (b"a\n" * 9000, 0)):
                file.write_bytes(content)
                self.assertEqual(len(list(check_words.check(file))), problems)


class SizeTest(unittest.TestCase):
    TEXT = ("static int one(void)\n{\n\treturn 1;\n}\n\n"
            "enum error two(int a,\n\tint b)\n{\n\tif (a)\n\t\treturn b;\n\treturn a;\n}\n\n"
            "static const int table[] = {\n\t1,\n};\n")

    def test_function_lengths(self):
        self.assertEqual(list(check_size.function_lengths(self.TEXT)),
                         [("one", 1, 4), ("two", 6, 7)])

    def test_function_lengths_with_the_brace_on_the_head(self):
        text = self.TEXT.replace(")\n{", ") {")
        self.assertEqual(list(check_size.function_lengths(text)),
                         [("one", 1, 3), ("two", 5, 6)])

    def test_tables_are_no_functions(self):
        text = "static const struct row rows[] = {\n\tROW(1),\n};\nint f(void) { return 1; }\n"
        self.assertEqual(list(check_size.function_lengths(text)), [])


class SymbolsTest(unittest.TestCase):
    def test_objects_are_those_of_the_release_kernel(self):
        root = source_tree.ROOT
        commands = [
            {"directory": str(root / "build"), "file": "../src/kernel/cap/cspace.c",
             "output": "src/x/kernel-release.elf.p/a.o"},
            {"directory": str(root / "build"), "file": "../src/kernel/cap/cspace.c",
             "output": "src/x/kernel-debug.elf.p/a.o"},
            {"directory": str(root / "build"), "file": "../src/vmm/main.c",
             "output": "src/vmm/vmm.elf.p/main.o"},
        ]
        self.assertEqual(check_symbols.objects_by_source(commands), {
            "src/kernel/cap/cspace.c": root / "build" / "src/x/kernel-release.elf.p/a.o"})

    CAP, IPC, SCHED = ("src/kernel/cap/delete.c", "src/kernel/ipc/endpoint.c",
                       "src/kernel/sched/schedule.c")

    def test_uses_leave_out_what_may_point_up(self):
        uses = check_symbols.uses_of(
            {self.CAP: {"slot_delete"}, self.IPC: {"endpoint_send", "object_ops"}},
            {self.CAP: {"endpoint_send", "object_ops"}, self.IPC: {"slot_delete", "memcpy"}})
        self.assertEqual(uses, {(self.CAP, self.IPC): {"endpoint_send"},
                                (self.IPC, self.CAP): {"slot_delete"}})
        found = list(check_symbols.upward(uses))
        self.assertEqual(len(found), 1)
        self.assertIn(f"{self.CAP} uses endpoint_send of {self.IPC}", found[0])

    def test_circles_are_found_and_what_hangs_from_them_is_left_out(self):
        line = {(self.IPC, self.SCHED): {"a"}, (self.SCHED, self.CAP): {"b"}}
        self.assertEqual(list(check_symbols.circles(line)), [])
        message, = check_symbols.circles({**line, (self.SCHED, self.IPC): {"c"}})
        self.assertIn(f"{self.SCHED} uses c of {self.IPC}", message)
        self.assertNotIn(self.CAP, message)

    def test_files_without_header_are_private_to_their_folder(self):
        tcb, life = "src/kernel/thread/tcb.c", "src/kernel/thread/life.c"
        allowed = {(life, tcb): {"a"}, (check_symbols.TABLES, tcb): {"a"}, (self.CAP, life): {"b"}}
        self.assertEqual(list(check_symbols.private_files(allowed)), [])
        self.assertEqual(len(list(check_symbols.private_files({(self.IPC, tcb): {"a"}}))), 1)


class Editors(unittest.TestCase):
    """.editorconfig says what the checks want."""

    def test_it_is_as_the_layout_of_c_and_the_columns(self):
        rules = configparser.ConfigParser()
        rules.read_string("[top]\n" + (source_tree.ROOT / ".editorconfig").read_text())
        layout = dict(re.findall(r"^(\w+): +(\S+)$",
                                 (source_tree.ROOT / ".clang-format").read_text(), re.MULTILINE))
        c = rules["*.{c,h,asm,inc,S}"]
        self.assertEqual((c["indent_size"], c["max_line_length"]),
                         (layout["IndentWidth"], layout["ColumnLimit"]))
        self.assertEqual((c["indent_style"], layout["UseTab"]),
                         ("tab", "ForContinuationAndIndentation"))
        python = rules["*.py"]
        self.assertEqual(int(python["max_line_length"]), check_words.COLUMNS)
        self.assertEqual(int(python["indent_size"]), check_words.TAB[".py"])

    def test_no_blank_ends_a_line(self):
        for path in check_words.files():
            if path.suffix in check_words.LICENSED:
                self.assertNotRegex(path.read_text(), r"(?m)[ \t]+$", path)


class StateTest(unittest.TestCase):
    TEXT = ("0000000000101000 d boot_root\n"
            "ffffffff80109000 0000000000000010 T boot_main\n"
            "ffffffff80128000 0000000000000040 r names\n"
            "ffffffff80129000 D rodata_end\n"
            "ffffffff80129000 0000000000000004 d calls.0.lto_priv.1\n"
            "ffffffff8012a000 000000000000c000 B boot_cpu\n"
            "ffffffff80140000 b bare_label\n"
            "ffffffff80150000 0000000000006b78 b facts\n")

    def test_what_can_change_is_found_largest_first(self):
        self.assertEqual(check_state.mutable_symbols(self.TEXT),
                         [("boot_cpu", 0xc000), ("facts", 0x6b78), ("calls", 4),
                          ("bare_label", 0)])

    def test_all_but_owners_and_exceptions_is_a_problem(self):
        found = check_state.unowned(check_state.mutable_symbols(self.TEXT))
        self.assertEqual([name for name, _ in found], ["calls", "bare_label"])

    def run_with(self, text):
        with tempfile.TemporaryDirectory() as place:
            for kernel in check_state.KERNELS:
                path = Path(place) / check_state.PLACE / kernel
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            with mock.patch.object(check_state.subprocess, "run",
                                   return_value=mock.Mock(stdout=text)), \
                    mock.patch.object(sys, "argv", ["check_state.py", place]), \
                    mock.patch("builtins.print") as printed:
                return check_state.main(), " ".join(str(call.args[0])
                                                    for call in printed.call_args_list)

    def test_the_check_fails_for_state_without_owner(self):
        good = ("ffffffff8012a000 000000000000c000 B boot_cpu\n"
                "ffffffff80140000 0000000000015000 b boot_kernel\n")
        status, printed = self.run_with(good)
        self.assertEqual(status, 0)
        self.assertIn("what the core owns", printed)
        status, printed = self.run_with(good + "ffffffff80160000 0000000000000008 b count\n")
        self.assertEqual(status, 1)
        self.assertIn("count can change", printed)

    def test_the_check_fails_without_the_owners(self):
        status, printed = self.run_with("ffffffff8012a000 000000000000c000 B boot_cpu\n")
        self.assertEqual(status, 1)
        self.assertIn("there is no boot_kernel", printed)


if __name__ == "__main__":
    unittest.main()
