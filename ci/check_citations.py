#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Rules of the kernel's reference are cited right and tested; its tables are current."""

import re
import subprocess
import sys

from source_tree import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from manual import pages  # noqa: E402

TESTS = ROOT / "tests" / "rules.txt"
RULE = re.compile(r"^\*\*([A-Z]+)-(\d+)\*\* ", re.MULTILINE)
DOCUMENT = re.compile(r"(?<![\w/.*{}<>%-])((?:[\w.-]+/)*[\w-]+\.md)\b")
# A document is named from the root, from the file's folder, or from one of these.
FOLDERS = ("docs", "docs/reference", "docs/reference/kernel")
# The manual's volume follows, perhaps on the next line of a comment. The edition is in
# docs/reference/kernel.md.
MANUAL = re.compile(r"\bSDM\b(?!:|,?\s+(?:// |; )?(?:volume )?(?:1|2[A-D]?|3[A-D]?|4)\b)")
TEST_NAME = re.compile(r'\{\s*"([a-z0-9-]+)",')
# Names documents that need not be there.
NO_CITATIONS = ("tests/tools/", "tools/nacre/")


def files():
    """(path, text) of each text file that is part of the repository, or may become one."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for name in sorted(set(listed.stdout.splitlines())):
        try:
            yield name, (ROOT / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue


def rules():
    """(the names of all rules, what is wrong with them)"""
    found, problems = {}, []
    for path in sorted(pages.PAGES.glob("*.md")):
        for kind, number in RULE.findall(path.read_text()):
            name = f"{kind}-{number}"
            if name in found:
                problems.append(f"{path.relative_to(ROOT)}: {name} is in {found[name]} too")
            found[name] = path.name
    return found, problems


def lines_with(pattern, text):
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match


def wrong_citations(name, text, known):
    kinds = "|".join(sorted({rule.split("-")[0] for rule in known}))
    for line, match in lines_with(re.compile(rf"\b(?:{kinds})-\d+\b"), text):
        if match[0] not in known:
            yield f"{name}:{line}: docs/reference/kernel has no rule {match[0]}"


def wrong_documents(name, text):
    if name.startswith(NO_CITATIONS):
        return
    here = (ROOT / name).parent
    for line, match in lines_with(DOCUMENT, text):
        places = (ROOT, here, *(ROOT / folder for folder in FOLDERS))
        if not any((place / match[1]).is_file() for place in places):
            yield f"{name}:{line}: no document {match[1]} in the repository"


def wrong_manuals(name, text):
    for line, _ in lines_with(MANUAL, text):
        yield f"{name}:{line}: no volume of the manual"


def test_names():
    folders = (ROOT / "tests" / "kernel", ROOT / "tests" / "guests")
    return {test for folder in folders for path in folder.glob("*.c")
            for test in TEST_NAME.findall(path.read_text())}


def wrong_tests(known):
    """What is wrong with the table of tests: one test at least for each rule."""
    place, tests, seen = TESTS.relative_to(ROOT), test_names(), set()
    for number, line in enumerate(TESTS.read_text().splitlines(), 1):
        rule, _, named = line.partition(":")
        if line.startswith("#"):
            continue
        seen.add(rule)
        if rule not in known:
            yield f"{place}:{number}: no rule {rule}"
        if named.strip().startswith("untested: "):
            continue
        for test in named.split():
            exists = (ROOT / "tests" / test).is_file() if "/" in test else test in tests
            if not exists:
                yield f"{place}:{number}: no test {test}"
        if not named.split():
            yield f"{place}:{number}: {rule} has neither test nor reason"
    for rule in known:
        if rule not in seen:
            yield f"{place}: no test for {rule}"


def main():
    known, problems = rules()
    for path, _ in pages.outdated():
        problems.append(f"{path.relative_to(ROOT)}: tables are out of date; run: "
                        "python3 tools/manual")
    for name, text in files():
        problems += wrong_citations(name, text, known)
        problems += wrong_documents(name, text)
        problems += wrong_manuals(name, text)
    problems += wrong_tests(known)
    for problem in problems:
        print(problem)
    print(f"{len(known)} rules, each with a test; {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
