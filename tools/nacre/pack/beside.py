# SPDX-License-Identifier: BSD-2-Clause
"""What a build writes beside its ISO, under the ISO's name: the packed system, its report and page,
and the words that it was made with. A person's file of such a name is not replaced."""

import re

from compose import layout
from nacre import places
from nacre.report import Misuse

IMAGE, REPORT, PAGE, WORDS = ".img", ".report", ".html", ".arguments"
# By which a file of an earlier build is known, in its first bytes.
MARKS = {IMAGE: rb"\A" + re.escape(layout.MAGIC), REPORT: rb"\ASystem for configuration ",
         PAGE: rb"<p>Boxes are protection domains", WORDS: rb"\A(debug|release) "}
FIRST_BYTES = 4096


def is_ours(path, suffix):
    """Whether an earlier build may have made this file; nothing is lost with an empty one."""
    with path.open("rb") as file:
        begin = file.read(FIRST_BYTES)
    return not begin or re.search(MARKS[suffix], begin) is not None


def check(target):
    """Refuses an ISO beside which another's file would be lost, or that would be replaced."""
    if target.suffix in MARKS:
        raise Misuse(f"{places.shown(target)}: such a name is that of a file beside the ISO, which "
                     "would replace it; end it in .iso")
    for suffix in MARKS:
        path = target.with_suffix(suffix)
        if path.is_file() and not is_ours(path, suffix):
            raise Misuse(f"{places.shown(path)}: is there and no build made it; one of "
                         f"{places.shown(target)} would replace it: move it, or name another ISO "
                         "(`./nacre build -o`)")
