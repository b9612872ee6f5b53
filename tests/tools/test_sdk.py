# SPDX-License-Identifier: BSD-2-Clause
"""The SDK's headers: what Makefiles read out of them, and which dialects of C take them."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from compose import boards  # noqa: E402
from nacre.pack import sdk, sdk_include  # noqa: E402

DEBUG, RELEASE = boards.CONFIGS["debug"], boards.CONFIGS["release"]
PLAIN, GUESTS = boards.BOARDS["x86_64_generic"], boards.BOARDS["x86_64_generic_vtx"]
# What a header declares and another translation unit has.
FUNCTION = re.compile(
    r"^(?!static|typedef|#|//)(?:__attribute__\(\(.*\)\) |\w+ )*\w+ \*?(\w+)\([^;{]*\);",
    re.MULTILINE)
# A program has these itself.
ENTRY_POINTS = {"init", "notified", "protected", "microkit_protected", "fault"}
PROGRAM = """#include <microkit.h>
void init(void) { microkit_notify(0); microkit_mr_set(0, seL4_GetMR(1)); }
void notified(microkit_channel ch) { microkit_irq_ack(ch); }
"""


def configuration(board, config):
    """What gen_config.json says, as it is read back."""
    return json.loads(json.dumps(sdk_include.values(sdk_include.header(board, config))))


class Headers(unittest.TestCase):
    """gen_config.h for each board and configuration; microkit.h for each dialect."""

    def test_the_architecture_is_the_fourth_word(self):
        for board in boards.BOARDS.values():
            for config in boards.CONFIGS.values():
                text = sdk_include.header(board, config)
                lines = [line for line in text.splitlines() if "CONFIG_SEL4_ARCH  " in line]
                self.assertEqual([line.split(" ")[3] for line in lines], ["x86_64"])

    def test_printing(self):
        for name in ("PRINTING", "DEBUG_BUILD"):
            self.assertIs(configuration(PLAIN, DEBUG)[name], True)
            self.assertIs(configuration(PLAIN, RELEASE)[name], False)
            self.assertNotIn(f"#define CONFIG_{name} ", sdk_include.header(PLAIN, RELEASE))

    def test_guests(self):
        for name in ("VTX", "X86_64_VTX_64BIT_GUESTS"):
            self.assertIs(configuration(GUESTS, RELEASE)[name], True)
            self.assertIs(configuration(PLAIN, RELEASE)[name], False)

    def test_benchmarks(self):
        for name in ("ENABLE_BENCHMARKS", "BENCHMARK_TRACK_UTILISATION"):
            self.assertIs(configuration(GUESTS, boards.CONFIGS["benchmark"])[name], True)
            self.assertIs(configuration(GUESTS, RELEASE)[name], False)

    def test_numbers_stay_numbers(self):
        self.assertEqual(configuration(PLAIN, RELEASE)["MAX_NUM_NODES"], "1")
        self.assertEqual(configuration(PLAIN, RELEASE)["WORD_SIZE"], "64")

    def test_labels_are_the_order_of_the_methods(self):
        """The descriptions number methods by their order, the kernel by its table."""
        numbers = {name: int(number) for number, name in re.findall(
            r"ROW\((\d+), (\w+),", (ROOT / "include/abi/invocation.h").read_text())}
        labels = {name: numbers[label] for name, label in re.findall(
            r"(\w+) = LABEL_(\w+),", (ROOT / "include/sel4/invocation.h").read_text())}
        methods = [method.get("id") for name in
                   ("object-api", "object-api-sel4-arch", "object-api-arch")
                   for method in ElementTree.parse(
                       ROOT / f"include/interfaces/{name}.xml").iter("method")]
        self.assertEqual({name: number for number, name in enumerate(methods, 1)}, labels)

    def test_system_calls_have_their_numbers(self):
        text = (ROOT / "include/abi/syscall.h").read_text()
        numbers = {name.replace("_", ""): int(number) for name, number in
                   re.findall(r"SYSCALL_(\w+) = (-\d+),", text)}
        root = ElementTree.parse(ROOT / "include/api/syscall.xml").getroot()
        calls = [call.get("name").upper() for part in ("api-mcs", "debug")
                 for call in root.find(part).iter("syscall")]
        for number, call in enumerate(calls, 1):
            if call in numbers:
                self.assertEqual(numbers.pop(call), -number)
        self.assertTrue(all(number <= -128 for number in numbers.values()), numbers)

    def test_dialects(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "program.c").write_text(PROGRAM)
            for board, config in ((GUESTS, DEBUG), (PLAIN, RELEASE)):
                include = folder / board.name
                sdk_include.write(include, board, config)
                for dialect in ("c99", "gnu99", "c11", "gnu11", "gnu17", "gnu2x"):
                    result = subprocess.run(
                        ["gcc", f"-std={dialect}", "-c", "-ffreestanding", "-nostdlib", "-O3",
                         "-Wall", "-Wextra", "-Werror", "-I", include, folder / "program.c",
                         "-o", folder / "program.o"], stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True, check=False)
                    self.assertEqual(result.returncode, 0, f"{dialect}: {result.stdout}")

    def test_a_program_in_cxx_links_with_the_libraries(self):
        """Each function of another translation unit is one of C to it."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            sdk_include.write(folder, GUESTS, DEBUG)
            headers = [folder / "microkit.h", *sorted((folder / "nacre").rglob("*.h"))]
            functions = {function for header in headers for function in
                         FUNCTION.findall(header.read_text())} - ENTRY_POINTS
            self.assertLessEqual({"print", "pci_open", "settings_next", "microkit_dbg_puts"},
                                 functions)
            (folder / "program.cc").write_text(
                "".join(f"#include <{header.relative_to(folder)}>\n" for header in headers)
                + "".join(f"auto *use_{function} = &{function};\n" for function in functions))
            subprocess.run(["g++", "-std=c++17", "-c", "-I", folder, folder / "program.cc", "-o",
                            folder / "program.o"], check=True)
            needed = subprocess.run(["nm", "-u", folder / "program.o"], check=True,
                                    stdout=subprocess.PIPE, text=True).stdout.split()
            self.assertEqual({word for word in needed if word != "U"}, functions)

    def test_a_folder_of_somebody_else_is_left_alone(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "precious").write_text("data")
            with self.assertRaises(sdk.Failure):
                sdk.clear(folder)
            self.assertTrue((folder / "precious").exists())


if __name__ == "__main__":
    unittest.main()
