# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre bench`: each file of bench/ answers one question and has a function measure(options).

It returns a list of figures, each a dictionary that is printed as a line of JSON, and a sentence or
a table for people.
"""

import importlib.util
import json

from nacre import places
from nacre.report import Failure

QUESTIONS = {path.stem.replace("_", "-"): path for path in (places.ROOT / "bench").glob("*.py")}
# Where an interrupt falls in the loop it interrupts shifts its figures by a few instructions.
TOLERANCE = 1.02


def load(path):
    specification = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def recorded(path):
    """Medians by (question, figure) of a file that --record wrote."""
    medians = {}
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path}: cannot be read as recorded figures: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            figure = json.loads(line)
            key = figure["bench"], figure["name"]
            medians[key] = figure["median"] + 0
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(f"{path}:{number}: not a figure of `./nacre bench`: want one line of "
                          "JSON each with bench, name and median; make it with --record") from error
    if not medians:
        raise Failure(f"{path}: holds no figures; make it with --record")
    return medians


def comparison(figures, medians):
    """A line for each figure that differs from the recorded one, and whether any grew."""
    lines, grew = [], False
    for figure in figures:
        before = medians.get((figure["bench"], figure.get("name")))
        now = figure.get("median")
        if now is None or before == now:
            continue
        if before is None:
            lines.append(f"{figure['name']}: {now}, not recorded before")
            continue
        worse = now > before * TOLERANCE
        grew = grew or worse
        lines.append(f"{figure['name']}: {before} -> {now} ({(now / before - 1) * 100:+.1f}%)"
                     f"{', GREW' if worse else ''}")
    measured = {(figure["bench"], figure.get("name")) for figure in figures}
    questions = {figure["bench"] for figure in figures}
    for question, name in sorted(medians.keys() - measured):
        if question in questions:
            lines.append(f"{name}: recorded, no longer measured")
    return lines or ["every median is as recorded"], grew


def run(options):
    """Runs one measurement, or all."""
    if options.operation and options.question != "ipc":
        raise Failure("--operation names a figure of ipc: say `./nacre bench ipc --operation NAME`")
    medians = recorded(options.compare) if options.compare else None
    figures = []
    for name in [options.question] if options.question else sorted(QUESTIONS):
        found, sentence = load(QUESTIONS[name]).measure(options)
        found = [{"bench": name, **figure} for figure in found]
        for figure in found:
            print(json.dumps(figure))
        print(sentence, flush=True)
        figures += found
    if options.record:
        write(options.record, figures)
    if medians is None:
        return 0
    lines, grew = comparison(figures, medians)
    print("\n".join(lines))
    return 1 if grew else 0


def write(path, figures):
    """Records the figures that have a median: those that --compare can use."""
    kept = [figure for figure in figures if "median" in figure]
    if not kept:
        raise Failure(f"{path}: none of these measurements has a median to record")
    try:
        path.write_text("".join(json.dumps(figure) + "\n" for figure in kept))
    except OSError as error:
        raise Failure(f"{path}: cannot be written: {error.strerror}") from error
