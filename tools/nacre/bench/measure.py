# SPDX-License-Identifier: BSD-2-Clause
"""Runs bench-kernel.elf, which measures the release kernel, and reads the figures it prints."""

import dataclasses
import json
import shutil

from nacre import build, packages, places
from nacre.bench import trace
from nacre.machine import bochs, kvm, machine, qemu
from nacre.pack import product
from nacre.report import Failure, Misuse, step
from nacre.terminal import console

TASK = "bench-kernel.elf"
END = "bench done"
BROKEN = "bench failed: "
# A GiB in one piece beside what the other rows use; only what is used takes memory here.
MEMORY = 4096
BOCHS_MEMORY = 1024

# By emulator: its program, and what its clock makes of the machine's name.
PROGRAMS = {"qemu": qemu.PROGRAM, "kvm": qemu.PROGRAM, "bochs": bochs.PROGRAM}
CLOCKS = {"qemu": "icount", "kvm": "KVM", "bochs": "Bochs", None: ""}
# What --cpu adds to the machine's name; without it QEMU's CPU is an AMD.
VENDORS = {"intel": "Intel", "amd": ""}


def need(emulator, with_guests=False):
    """Sees that the emulator is there; installs it where that is possible."""
    program = PROGRAMS[emulator]
    reason = None
    if emulator == "kvm":
        reason = kvm.probe()[1] if with_guests else kvm.why_not()
    if reason:
        raise Misuse(f"--emulator kvm: there is no KVM to measure on ({reason}): "
                     "take --emulator qemu or bochs")
    try:
        packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    except Failure as failure:
        if shutil.which(program):
            raise
        reason = str(failure).partition("\n")[0]
        raise Misuse(f"{program} is not installed, and cannot be: {reason}") from failure


def figure_of(line, clock, where):
    """The figure in one line of JSON."""
    try:
        figure = json.loads(line)
        name = ", ".join(filter(None, (figure["machine"].strip(), clock)))
        return {**figure, "median": figure["median"] + 0, "machine": name}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Misuse(f"{where}: a damaged figure: {line[:60]}") from error


def figures_of(text, clock, name):
    """The figures in the task's output: a dictionary for each line of JSON."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(BROKEN):
            raise Failure(f"{name}:{number}: the measuring task gave up at "
                          f"{line.removeprefix(BROKEN)}")
        if line.startswith('{"name"'):
            found.append(figure_of(line, clock, f"{name}:{number}"))
    return found


def with_arguments(figures, arguments):
    """Marks figures of a kernel that was given these."""
    return [{**figure, "arguments": arguments} for figure in figures] if arguments else figures


def figures_of_log(path, arguments=""):
    """The figures that a real machine said on its COM1."""
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise Misuse(f"{path}: cannot be read: {error.strerror}") from error
    figures = figures_of(text, CLOCKS[None], path)
    if END not in text:
        raise Misuse(f"{path}: ends before `{END}`: the measurements are not complete")
    return with_arguments(figures, arguments)


@dataclasses.dataclass
class Request:
    """What is to be measured: `rows` are beginnings of names, none for all."""

    emulator: str
    arguments: str = ""
    vendor: str = ""
    cpu: str = ""  # QEMU's model, or what it has by itself
    rows: tuple = ()
    plugin: tuple = ()
    cores: int = 1

    def notes(self):
        """The task reads its rows in the name of a module."""
        return ("+".join(("rows", *self.rows)),) if self.rows else ()


def make_iso(target, arguments="", notes=()):
    """An ISO that measures the machine it boots on and prints the figures on COM1."""
    return product.make_test_iso(TASK, target, "release", arguments, notes)


def start(request):
    if request.emulator == "bochs":
        iso = make_iso(places.BUILD / "bench-kernel.iso", request.arguments, request.notes())
        return machine.BochsMachine(iso=iso, memory=BOCHS_MEMORY, cores=request.cores)
    return machine.QemuMachine(
        kernel=build.artefact("kernel-release.elf32"), modules=(build.artefact(TASK),),
        arguments=request.arguments, notes=request.notes(), memory=MEMORY, extra=request.plugin,
        vendor=request.vendor, cpu=request.cpu, cores=request.cores,
        accelerator="kvm" if request.emulator == "kvm" else "tcg",
        clock="wall" if request.emulator == "kvm" else "instructions")


def run(request):
    """The requested figures."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    # Two models may be measured at once.
    model = request.cpu.partition(",")[0]
    log = places.LOGS / f"bench-{'-'.join(filter(None, (request.emulator, model)))}.log"
    option = f" with {request.arguments}" if request.arguments else ""
    with log.open("wb") as output, start(request) as running:
        step(f"measuring the release kernel{option} in {running.name} ({places.shown(log)})")
        why = console.Session(running, [("until", END)], output=output).run()
        complaint = running.output().strip().partition("\n")[0]
    clock = ", ".join(filter(None, (VENDORS.get(request.vendor), CLOCKS[request.emulator])))
    figures = figures_of(log.read_text(errors="replace"), clock, places.shown(log))
    if why:
        said = f"; {running.name} said: {complaint}" if complaint else ""
        raise Failure(f"{why}{said} ({places.shown(log)})")
    return with_arguments(figures, request.arguments)


def plugin_options(program, counted):
    """QEMU's options for tools/plugin, which knows samples and rows by the task's functions."""
    symbols = trace.Symbols(program)
    places_of = {"sample": hex(symbols.address("sample_add")),
                 "row": hex(symbols.address("samples_print")), "out": str(counted)}
    # QEMU splits the option at commas; a doubled one stands for itself.
    words = [str(build.artefact("count.so"))] + [
        f"{key}={value}" for key, value in places_of.items()]
    return ("-plugin", ",".join(word.replace(",", ",,") for word in words))


def count(figures, rows):
    """Adds to each figure what the plugin counted for the median sample of its row."""
    if len(rows) != len(figures):
        raise Failure(f"bench: the counting plugin saw {len(rows)} rows, the task {len(figures)}")
    for figure, row in zip(figures, rows):
        if not row.lost:
            figure.update(kernel=row.kernel, code_lines=row.code, data_lines=row.data,
                          branches=row.branches, taken=row.taken)


def counted_run(request):
    """Figures by QEMU with the plugin's counts, and the plugin's rows."""
    counted = places.LOGS / "bench.counted"
    plugin = plugin_options(build.artefact(TASK), counted)
    figures = run(dataclasses.replace(request, plugin=plugin))
    rows = trace.rows_of(counted)
    count(figures, rows)
    return figures, rows
