# SPDX-License-Identifier: BSD-2-Clause
"""Links in the documents lead to files, and to headings where they name one."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def documents():
    folders = [ROOT / name for name in ("docs", "examples", "guests", "bench")]
    return [ROOT / "README.md", *(path for folder in folders for path in folder.rglob("*.md"))]


def anchors(path):
    """The names that headings have as link targets."""
    words = (re.sub(r"[^\w\s-]", "", text.lower()) for text in HEADING.findall(path.read_text()))
    return {text.strip().replace(" ", "-") for text in words}


class Links(unittest.TestCase):
    def test_each_leads_somewhere(self):
        for path in documents():
            for target, anchor in LINK.findall(FENCED.sub("", path.read_text())):
                if "://" in target:
                    continue
                with self.subTest(document=path.relative_to(ROOT), target=target, anchor=anchor):
                    file = path.parent / target if target else path
                    self.assertTrue(file.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(file))

    def test_all_documents_are_reached_from_the_readme(self):
        seen, waiting = set(), [ROOT / "README.md"]
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            waiting += [found for target, _ in LINK.findall(path.read_text())
                        if (found := (path.parent / target).resolve()).suffix == ".md"
                        and found.is_file()]
        self.assertEqual([path for path in documents() if path not in seen
                          and ROOT / "docs" in path.parents], [])


if __name__ == "__main__":
    unittest.main()
