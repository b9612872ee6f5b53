# SPDX-License-Identifier: BSD-2-Clause
"""Each example folder has its line in docs/examples.md, and each line's command can be given."""

import pathlib
import re
import shlex
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from nacre import cli, commands  # noqa: E402

ROW = re.compile(r"^\| ([\w-]+)(?:, [^|]+)? \| [^|]+ \| `(\./nacre [^`]+)` \|$", re.MULTILINE)
BUILT = "build/"


def rows():
    """(example, words of its command) of each line of the table."""
    text = (ROOT / "docs" / "examples.md").read_text()
    return [(name, shlex.split(command)) for name, command in ROW.findall(text)]


def folders():
    return {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()}


class Table(unittest.TestCase):
    def test_every_line_is_read(self):
        text = (ROOT / "docs" / "examples.md").read_text()
        lines = [line for line in text.splitlines() if "./nacre" in line and line[0] == "|"]
        self.assertEqual(len(lines), len(rows()))

    def test_each_folder_has_a_line_and_each_line_a_folder(self):
        self.assertEqual({name for name, _ in rows()}, folders())

    def test_commands_are_understood_and_end(self):
        for name, words in rows():
            with self.subTest(example=name):
                options = cli.parse(words[1:])
                self.assertIn(options.act, (commands.run, commands.boot))
                self.assertTrue(any(kind == "until" for kind, _ in options.steps))

    def test_commands_name_files_of_their_folder(self):
        for name, words in rows():
            with self.subTest(example=name):
                path = words[words.index("--kernel-only") + 1] if "boot" in words else words[2]
                self.assertTrue(path.removeprefix(BUILT).startswith(f"examples/{name}/"), path)
                if not path.startswith(BUILT):
                    self.assertTrue((ROOT / path).is_file(), path)


class Folders(unittest.TestCase):
    def test_descriptions_say_what_they_show(self):
        for path in sorted((ROOT / "examples").glob("*/*.system")):
            with self.subTest(path=path.relative_to(ROOT)):
                head = path.read_text().partition("<system")[0]
                comments = re.findall(r"<!--(.*?)-->", head, re.DOTALL)
                self.assertEqual(len(comments), 2, "a licence and a sentence")
                self.assertGreater(len(comments[1].split()), 4)


if __name__ == "__main__":
    unittest.main()
