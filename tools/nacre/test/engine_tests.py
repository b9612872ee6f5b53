# SPDX-License-Identifier: BSD-2-Clause
"""Which guest tests run on which engine: tests/guests/engines.txt beside a run's results."""

import dataclasses
import re

from nacre import places
from nacre.report import Failure
from nacre.test import results

FOLDER = places.ROOT / "tests" / "guests"
LIST = FOLDER / "engines.txt"
ENGINES = {"vtx": "VT-x", "svm": "AMD-V", "ryzen": "AMD-V in Bochs"}
CAUSE = re.compile(r"(always|emulator|wrong|fatal-(\d+))\Z")
# Where the program of the tests has the ids of those left out, each behind a space; zeros follow.
LEFT_OUT = b"tests left out:"
ROOM = 2048
ROW = re.compile(r'^\t\{"([a-z0-9-]+)",\s*((?:"[^"]*"\s*)+),', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Absence:
    """Why a test does not run; `cause` is as CAUSE says."""

    cause: str
    reason: str


def sentences():
    """The sentence of each test by its id, in the order of the files."""
    found = {}
    for path in sorted(FOLDER.glob("*.c")):
        for name, strings in ROW.findall(path.read_text()):
            found[name] = "".join(re.findall(r'"([^"]*)"', strings))
    return found


def absences(text=None):
    """The tests that do not run: {engine: {id: Absence}}."""
    known = sentences()
    found = {engine: {} for engine in ENGINES}
    lines = (LIST.read_text() if text is None else text).splitlines()
    for number, line in enumerate(lines, 1):
        words = line.split(maxsplit=3)
        if not words or line.startswith("#"):
            continue
        if len(words) < 4 or words[0] not in ENGINES or not CAUSE.match(words[2]):
            raise Failure(f"{LIST}:{number}: want: engine, test, always or emulator or wrong or "
                          "fatal-N, reason")
        if words[1] not in known or words[1] in found[words[0]]:
            raise Failure(f"{LIST}:{number}: {words[1]} is no test, or stands there twice")
        found[words[0]][words[1]] = Absence(words[2], words[3])
    return found


def fatal(engine, version, text=None):
    """The tests that this version of the engine's emulator does not survive."""
    return [name for name, absence in absences(text)[engine].items()
            if int(CAUSE.match(absence.cause).group(2) or version + 1) <= version]


def leaving_out(program, names):
    """The program of the tests, which then reports these as skipped."""
    words = b"".join(b" " + name.encode() for name in names)
    place = program.index(LEFT_OUT + bytes(ROOM - len(LEFT_OUT))) + len(LEFT_OUT)
    return program[:place] + words + program[place + len(words):]


def judged(engine, found, text=None):
    """The results, of which those that the emulator does wrong count as skipped, and one failure
    for each that the list does not expect."""
    absent = absences(text)[engine]
    for result in found:
        absence = absent.get(result.name.rpartition("/")[2])
        excused = absence and absence.cause == "wrong" and result.outcome == results.FAILED
        yield results.skipped(result.name, absence.reason) if excused else result
    yield from compared(absent, found)


def compared(absent, found):
    """One failure for each result that the engine's absences do not lead one to expect."""
    for result in found:
        name = result.name.rpartition("/")[2]
        skipped = result.outcome == results.SKIPPED
        if skipped and name not in absent:
            yield results.failed(result.name, f"is skipped ({result.text}), and not in {LIST.name}")
        elif not skipped and name in absent and absent[name].cause == "always":
            yield results.failed(result.name, f"runs, but {LIST.name} says: {absent[name].reason}")
