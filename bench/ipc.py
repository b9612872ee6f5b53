# SPDX-License-Identifier: BSD-2-Clause
"""What do messages, signals, faults, interrupts, mappings and objects cost?

bench-kernel.elf runs as the initial task under the release kernel. Usually that is in QEMU with
-icount shift=0, where the time stamp counter is the count of instructions, and tools/plugin counts
cache lines and branches in the same run.
"""

import dataclasses

from nacre import build, places
from nacre.bench import marks, trace
from nacre.bench import measure as task
from nacre.report import Failure, Misuse

EMULATORS = ("qemu", "bochs", "kvm")
SLOW_ARGUMENT = "fastpath=off"


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
        raise Failure(f"ipc: the counting plugin saw {len(rows)} rows, the task {len(figures)}")
    for figure, row in zip(figures, rows):
        if not row.lost:
            figure.update(kernel=row.kernel, code_lines=row.code, data_lines=row.data,
                          branches=row.branches, taken=row.taken)


def operation_report(name, figures, rows):
    """Where the instructions and lines of one figure are, in the kernel."""
    names = [figure["name"] for figure in figures]
    if name not in names:
        raise Misuse(f"ipc: no operation {name}; there are {', '.join(marks.MARKS)}")
    return f"{name}: " + trace.report(rows[names.index(name)],
                                      trace.Symbols(build.artefact("kernel-release.elf")))


def counted_run(request):
    """Figures by QEMU with the plugin's counts, and the plugin's rows."""
    counted = places.LOGS / "bench-ipc.counted"
    plugin = plugin_options(build.artefact(task.TASK), counted)
    figures = task.run(dataclasses.replace(request, plugin=plugin))
    rows = trace.rows_of(counted)
    count(figures, rows)
    return figures, rows


def slow_figures(request, figures):
    """Those of the figures that have a fast path, without it."""
    names = {figure["name"] for figure in figures if figure["name"].startswith(marks.FAST)}
    if not names:
        return []
    arguments = f"{request.arguments} {SLOW_ARGUMENT}".strip()
    found = task.run(dataclasses.replace(request, arguments=arguments, rows=marks.FAST))
    return [{**figure, "name": figure["name"] + marks.SLOW} for figure in found
            if figure["name"] in names]


def request_of(options):
    wanted = options.operation or options.only
    return task.Request(options.emulator or EMULATORS[0], options.arguments,
                        vendor=options.cpu or "", rows=(wanted,) if wanted else ())


def measure(options):
    if options.log:
        figures = task.figures_of_log(options.log, options.arguments)
        return figures, marks.table(figures)
    request = request_of(options)
    task.need(request.emulator)
    build.compile_all()
    if options.operation:
        figures, rows = counted_run(request)
        return figures, operation_report(options.operation, figures, rows)
    figures = counted_run(request)[0] if request.emulator == "qemu" else task.run(request)
    if not figures:
        raise Misuse(f"ipc: {request.emulator} takes no figure of those that begin with "
                     f"{options.only}")
    if SLOW_ARGUMENT not in request.arguments.split():
        figures += slow_figures(request, figures)
    return figures, marks.table(figures)
