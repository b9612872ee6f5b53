# SPDX-License-Identifier: BSD-2-Clause
"""The SDK's headers: what Makefiles read out of them, and which dialects of C take them."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from compose import boards  # noqa: E402
from nacre import sdk  # noqa: E402

DEBUG, RELEASE = boards.CONFIGS["debug"], boards.CONFIGS["release"]
PLAIN, GUESTS = boards.BOARDS["x86_64_generic"], boards.BOARDS["x86_64_generic_vtx"]
PROGRAM = """#include <microkit.h>
void init(void) { microkit_notify(0); microkit_mr_set(0, seL4_GetMR(1)); }
void notified(microkit_channel ch) { microkit_irq_ack(ch); }
"""


class Headers(unittest.TestCase):
    """gen_config.h for each board and configuration; microkit.h for each dialect."""

    def test_the_architecture_is_the_fourth_word(self):
        for board in boards.BOARDS.values():
            for config in boards.CONFIGS.values():
                text, _ = sdk.definitions(board, config)
                lines = [line for line in text.splitlines() if "CONFIG_SEL4_ARCH  " in line]
                self.assertEqual([line.split(" ")[3] for line in lines], ["x86_64"])

    def test_printing(self):
        for name in ("CONFIG_PRINTING", "CONFIG_DEBUG_BUILD"):
            self.assertIn(name, sdk.definitions(PLAIN, DEBUG)[1])
            self.assertNotIn(name, sdk.definitions(PLAIN, RELEASE)[1])
            self.assertNotIn(name, sdk.definitions(PLAIN, RELEASE)[0])

    def test_guests(self):
        for name in ("CONFIG_VTX", "CONFIG_X86_64_VTX_64BIT_GUESTS"):
            self.assertIn(name, sdk.definitions(GUESTS, RELEASE)[1])
            self.assertNotIn(name, sdk.definitions(PLAIN, RELEASE)[1])

    def test_dialects(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "program.c").write_text(PROGRAM)
            for board, config in ((GUESTS, DEBUG), (PLAIN, RELEASE)):
                include = folder / board.name
                sdk.write_includes(include, board, config)
                for dialect in ("c99", "gnu99", "c11", "gnu11", "gnu17", "gnu2x"):
                    result = subprocess.run(
                        ["gcc", f"-std={dialect}", "-c", "-ffreestanding", "-nostdlib", "-O3",
                         "-Wall", "-Wextra", "-Werror", "-I", include, folder / "program.c",
                         "-o", folder / "program.o"], stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True, check=False)
                    self.assertEqual(result.returncode, 0, f"{dialect}: {result.stdout}")

    def test_a_folder_of_somebody_else_is_left_alone(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "precious").write_text("data")
            with self.assertRaises(sdk.Failure):
                sdk.clear(folder)
            self.assertTrue((folder / "precious").exists())


if __name__ == "__main__":
    unittest.main()
