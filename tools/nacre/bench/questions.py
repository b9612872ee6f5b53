# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre bench`: each file of bench/ answers one question and has a function measure(options).

It returns a list of figures, each a dictionary that is printed as a line of JSON, and a sentence or
a table for people.
"""

import difflib
import importlib.util
import json
import re

from compose import output
from nacre import build, packages, places
from nacre.bench import marks, measure
from nacre.report import Failure, Misuse

QUESTIONS = {path.stem.replace("_", "-"): path for path in (places.ROOT / "bench").glob("*.py")}
# Where an interrupt falls in the loop it interrupts shifts its figures by a few instructions.
TOLERANCE = 1.02
# What --compare looks at, and its words.
COMPARED = {"median": "", "code_lines": "code lines ", "data_lines": "data lines ",
            "branches": "conditional jumps ", "taken": "jumps taken "}
# Options that make sense for one measurement only.
OF_IPC = {"cpu": "--cpu VENDOR", "operation": "--operation NAME", "iso": "--iso FILE.iso",
          "log": "--log FILE"}
# Those whose figures can be measured one by one.
SELECTABLE = ("ipc", "guest")


def load(path):
    specification = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def recorded(path):
    """Figures by (question, name) of a file that --record wrote."""
    figures = {}
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise Misuse(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Misuse(f"{path}: cannot be read as recorded figures: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            figure = json.loads(line)
            _ = [figure[field] + 0 for field in COMPARED if field == "median" or field in figure]
            figures[figure["bench"], figure["name"]] = figure
        except (ValueError, KeyError, TypeError) as error:
            raise Misuse(f"{path}:{number}: not a figure of `./nacre bench`: want one line of "
                         "JSON each with bench, name and median; make it with --record") from error
    if not figures:
        raise Misuse(f"{path}: holds no figures; make it with --record")
    return figures


def check_machine(figure, before):
    """Figures of two machines, or of two command lines, say nothing about the kernel."""
    for field in ("machine", "arguments"):
        if figure.get(field) != before.get(field):
            raise Misuse(f"{figure['name']}: recorded with {field} {before.get(field)!r}, measured "
                         f"with {figure.get(field)!r}: these cannot be compared")


def differences(figure, before):
    """(line, whether it grew) for each compared number of a figure that changed."""
    for field, words in COMPARED.items():
        now, then = figure.get(field), before.get(field)
        if now is None or then is None or now == then:
            continue
        worse = now > then * TOLERANCE
        change = f" ({(now / then - 1) * 100:+.1f}%)" if then else ""
        line = f"{figure['name']}: {words}{then} -> {now}{change}{', GREW' if worse else ''}"
        yield line, worse


def comparison(figures, before):
    """A line for each number that differs from the recorded one, and whether any grew."""
    lines, grew = [], False
    for figure in figures:
        then = before.get((figure["bench"], figure.get("name")))
        if "median" not in figure:
            continue
        if then is None:
            lines.append(f"{figure['name']}: {figure['median']}, not recorded before")
            continue
        check_machine(figure, then)
        for line, worse in differences(figure, then):
            lines.append(line)
            grew = grew or worse
    measured = {(figure["bench"], figure.get("name")) for figure in figures}
    questions = {figure["bench"] for figure in figures}
    for question, name in sorted(before.keys() - measured):
        if question in questions:
            lines.append(f"{name}: recorded, no longer measured")
    return lines or ["everything is as recorded"], grew


def check_names(options):
    """Says that there is no such figure before anything is built for it."""
    names = load(QUESTIONS["guest"]).NAMES if options.question == "guest" else marks.names()
    for option, text, fits in (("--only", options.only, str.startswith),
                               ("--operation", options.operation, str.__eq__)):
        if text and not any(fits(name, text) for name in names):
            near = difflib.get_close_matches(text, names, 3, 0.5)
            others = f"; near it: {', '.join(near)}" if near else ""
            raise Misuse(f"{option} {text}: there is no such figure{others}")


def questions_of(options):
    """The modules to run, by name: the one named, or all that the emulator can answer."""
    for field, words in OF_IPC.items():
        if getattr(options, field) and options.question != "ipc":
            raise Misuse(f"{words.split()[0]} is for ipc: say `./nacre bench ipc {words}`")
    if options.only and options.question not in SELECTABLE:
        raise Misuse("--only is for ipc and guest: say `./nacre bench ipc --only TEXT`")
    names = [options.question] if options.question else sorted(QUESTIONS)
    modules = {name: load(QUESTIONS[name]) for name in names}
    if options.operation and options.emulator not in (None, "qemu"):
        raise Misuse("--operation needs QEMU, where a plugin of ours watches the kernel")
    if options.only and not re.fullmatch(r"[\w-]+", options.only):
        raise Misuse(f"--only {options.only!r}: names of figures are of letters, digits and -")
    if options.cpu and (options.emulator not in (None, "qemu") or options.iso or options.log):
        raise Misuse("--cpu needs QEMU: every other machine has the CPU that it has")
    check_names(options)
    if not options.emulator:
        return modules
    able = {name: module for name, module in modules.items()
            if options.emulator in module.EMULATORS}
    if not able:
        choices = " or ".join(modules[options.question].EMULATORS)
        raise Misuse(f"{options.question} is measured in {choices}, not in {options.emulator}")
    return able


def make_iso(options):
    """Prints where the ISO is, and what to do with it."""
    packages.ensure(packages.BUILD, packages.PACK)
    build.compile_all()
    target = options.iso.absolute()
    measure.make_iso(target, options.arguments)
    print(f"{places.shown(target)}: boot it, keep what COM1 says (115200 8N1) up to "
          f"`{measure.END}` in a file, and say `./nacre bench ipc --log FILE`")
    return 0


def run(options):
    """Runs one measurement, or all."""
    modules = questions_of(options)
    before = recorded(options.compare) if options.compare else None
    if before and options.only:
        before = {key: figure for key, figure in before.items() if key[1].startswith(options.only)}
    if options.iso:
        return make_iso(options)
    figures = []
    for name, module in modules.items():
        found, sentence = module.measure(options)
        found = [{"bench": name, **figure} for figure in found]
        for figure in found:
            print(json.dumps(figure))
        print(sentence, flush=True)
        figures += found
    if options.record:
        write(options.record, figures)
    if before is None:
        return 0
    lines, grew = comparison(figures, before)
    print("\n".join(lines))
    return 1 if grew else 0


def write(path, figures):
    """Records the figures that have a median: those that --compare can use."""
    kept = [figure for figure in figures if "median" in figure]
    if not kept:
        raise Failure(f"{path}: none of these measurements has a median to record")
    try:
        output.write(path, "".join(json.dumps(figure) + "\n" for figure in kept))
    except OSError as error:
        raise Failure(f"{path}: cannot be written: {error.strerror}") from error
