# SPDX-License-Identifier: BSD-2-Clause
"""Links in the documents lead somewhere; the references name all that there is."""

import ast
import itertools
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from compose import boards  # noqa: E402
from compose.problems import Problems  # noqa: E402
from compose.reader import Reader  # noqa: E402
from compose.short.expand import IN_DOMAIN, IN_SYSTEM, expand  # noqa: E402
from compose.tree import read_tree  # noqa: E402
from manual import pages, sources  # noqa: E402
from nacre.pack import sdk  # noqa: E402

SOURCES = (".c", ".h", ".asm", ".py", ".system", ".xml")
REFERENCE = ROOT / "docs" / "reference"
# Every element there is, with an attribute that none takes.
DESCRIPTION = """<system><memory_region n=""/>
<domains n=""><domain n=""/><domain_schedule n=""><schedule_entry n=""/>
<schedule_end_marker n=""/></domain_schedule></domains>
<protection_domain n=""><program_image n=""/><map n=""/><irq n="" pin="1"/>
<irq n="" pcidev="0:0.0"/><ioport n=""/>
<dma n=""/><setvar n=""/><cspace n=""><cap_tcb n=""/></cspace>
<virtual_machine n=""><vcpu n=""/></virtual_machine><protection_domain n=""/></protection_domain>
<channel n=""><end n=""/><end n=""/></channel>
<io_address_space n=""><iomap n=""/></io_address_space>
<virtual_machine n=""><console n=""/><peer n=""/></virtual_machine><switch n=""/><screen n=""/>
<protection_domain program="a"><console n=""/><timer n=""/><tsc_info n=""/><disk n=""/>
<network n=""/><settings n=""/><control n=""/></protection_domain>
</system>"""
SYSTEM = re.compile(r"^    <system>$.*?^    </system>$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
# A path from the root. Beside another in the same line it may begin in that one's folder.
PLACE = re.compile(r"(?<![\w./-])((?:src|include|tests|tools|ci|bench|boot|guests|examples|docs)"
                   r"/[\w./-]*\w)(?:((?:, [\w/]+\.\w+)+)(?=\s))?")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def documents():
    folders = [ROOT / name for name in ("docs", "examples", "guests", "bench")]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md",
            *(path for folder in folders for path in folder.rglob("*.md"))]


def anchors(path):
    """The names that headings have as link targets."""
    words = (re.sub(r"[^\w\s-]", "", text.lower()) for text in HEADING.findall(path.read_text()))
    return {text.strip().replace(" ", "-") for text in words}


def is_built(name):
    rules = name.parent / "meson.build"
    return rules.is_file() and f"'{name.name}'" in rules.read_text()


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

    def test_each_path_in_the_text_exists(self):
        found = 0
        for path in documents():
            for place, beside in PLACE.findall(path.read_text()):
                folder = (ROOT / place).parent
                names = [ROOT / place, *(folder / name for name in beside.split(", ")[1:])]
                for name in names:
                    if "NAME" in str(name) or name.suffix == ".elf":
                        continue
                    found += 1
                    with self.subTest(document=path.relative_to(ROOT), name=name):
                        # A check is named without its ending; a program by its build target.
                        self.assertTrue(name.exists() or name.with_suffix(".py").is_file()
                                        or is_built(name))
        self.assertGreater(found, 200)

    def test_each_folder_has_its_first_file(self):
        rows = re.findall(r"^\| (`[^|]+) \|([^|]+)\| (`[^|]+`) \|$",
                          (ROOT / "README.md").read_text(), re.MULTILINE)
        named, parents = set(), set()
        for cell, text, files in rows:
            folders, firsts = (re.findall(r"`([^`]+)`", part) for part in (cell, files))
            named.update(folders)
            parents.update(folders if "a folder each" in text else ())
            for folder, first in itertools.zip_longest(folders, firsts, fillvalue=""):
                with self.subTest(folder=folder):
                    self.assertTrue(folder and first and (ROOT / folder / first).is_file())
        # Of a folder each, and of a test's replacements for headers, the parent's row tells.
        for path in (path for top in ("src", "include", "tools", "tests")
                     for path in (ROOT / top).rglob("*") if path.suffix in SOURCES):
            folder = path.parent.relative_to(ROOT)
            with self.subTest(folder=folder):
                self.assertTrue(str(folder) in named or len(folder.parts) == 1 or
                                parents.intersection(map(str, folder.parents)))

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


class References(unittest.TestCase):
    def test_every_attribute_and_element(self):
        problems = Problems("all.system")
        Reader(problems, boards.DEFAULT_BOARD, boards.DEFAULT_CONFIG).read(
            expand(read_tree(DESCRIPTION.encode(), problems), problems, {}))
        found = re.findall(r"unknown attribute 'n' on <(\w+)>; it takes (.*)",
                           "\n".join(problems.texts()))
        self.assertEqual(len(found), DESCRIPTION.count('n=""'))
        self.assertLessEqual({*IN_DOMAIN, *IN_SYSTEM}, {element for element, _ in found})
        text = (REFERENCE / "description.md").read_text()
        for element, attributes in found:
            names = [] if attributes == "none" else attributes.split(", ")
            for name in [element, *names]:
                with self.subTest(element=element, name=name):
                    self.assertIn(f"`{name}`", text)

    def test_each_system_in_the_text_can_be_read(self):
        found = [(path, block) for path in (ROOT / "README.md", REFERENCE / "description.md")
                 for block in SYSTEM.findall(path.read_text())]
        self.assertGreater(len(found), 2)
        for path, block in found:
            problems = Problems(path.name)
            Reader(problems, boards.DEFAULT_BOARD, boards.DEFAULT_CONFIG).read(
                expand(read_tree(block.encode(), problems), problems, {}))
            with self.subTest(document=path.name, block=block):
                self.assertEqual(problems.texts(), [])
                self.assertLessEqual(len(block.splitlines()), 12)

    def test_every_function(self):
        header = (ROOT / "include" / "microkit.h").read_text()
        names = set(re.findall(r"\b(microkit_\w+)\(", header))
        self.assertGreater(len(names), 30)
        text = (REFERENCE / "api.md").read_text()
        for name in sorted(names):
            with self.subTest(name=name):
                self.assertRegex(text, rf"`{name}\(")

    def test_every_program(self):
        text = (REFERENCE / "protocols.md").read_text()
        for name in sdk.COMPONENTS:
            with self.subTest(program=name):
                self.assertIn(f"`{name}`", text)

    def test_every_request_of_the_timer(self):
        header = (ROOT / "include" / "nacre" / "protocol" / "timer.h").read_text()
        text = (REFERENCE / "protocols.md").read_text()
        for name, number in re.findall(r"\b(TIMER_\w+) = (\d+)", header):
            self.assertIn(f"| {number} `{name}` |", text)

    def test_every_variable_of_the_monitor(self):
        source = (ROOT / "src" / "vmm" / "host" / "description.c").read_text()
        text = (REFERENCE / "protocols.md").read_text()
        for name in re.findall(r"\b(\w+_(?:vaddr|size)) = 0", source):
            self.assertIn(f"`{name}`", text)


class Folders(unittest.TestCase):
    """Where a reader of the tools begins."""

    def test_each_names_its_first_file(self):
        folders = [path.parent for path in (ROOT / "tools").rglob("__init__.py")]
        self.assertGreater(len(folders), 5)
        for folder in folders:
            with self.subTest(folder=folder.name):
                text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
                first = re.search(r"^Open (\w+\.py) first: ", text, re.MULTILINE)
                self.assertTrue(first, text)
                self.assertTrue((folder / first.group(1)).is_file(), text)


class Kernel(unittest.TestCase):
    def test_each_interface_has_its_section(self):
        text = (REFERENCE / "kernel" / "invocations.md").read_text()
        shown = {*re.findall(r"<!-- generated: invocations (\w+) -->", text)}
        for interface, others in pages.WITH.items():
            shown.update(others if interface in shown else ())
        self.assertEqual(set(sources.operations()), shown)

    def test_comments_above_a_number_are_its_note(self):
        text = pages.state_reasons()
        self.assertIn("refused the controls", text)
        self.assertIn("as are groups of higher numbers", text)

    def test_each_operation_names_the_errors_of_its_outcomes(self):
        outcomes = sources.outcomes()
        operations = [one for found in sources.operations().values() for one in found]
        self.assertEqual({one.identity for one in operations}, set(outcomes))
        several = {"Derivation", "FailedLookupOrRangeError"}
        for one in operations:
            with self.subTest(operation=one.identity):
                found = {row.error for row in outcomes[one.identity]}
                self.assertEqual(found - several, one.errors)
                self.assertEqual([row.order for row in outcomes[one.identity]],
                                 list(range(1, len(outcomes[one.identity]) + 1)))


if __name__ == "__main__":
    unittest.main()
