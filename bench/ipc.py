# SPDX-License-Identifier: BSD-2-Clause
"""What do messages, signals, faults, interrupts, mappings and objects cost?

bench-kernel.elf runs as the initial task under the release kernel. Usually that is in QEMU with
-icount shift=0, where the time stamp counter is the count of instructions, and tools/plugin counts
cache lines and branches in the same run.
"""

import dataclasses

from nacre import build
from nacre.bench import cores, marks, trace
from nacre.bench import measure as task
from nacre.report import Misuse

EMULATORS = ("qemu", "bochs", "kvm")
SLOW_ARGUMENT = "fastpath=off"


def operation_report(name, figures, rows):
    """Where the instructions and lines of one figure are, in the kernel."""
    names = [figure["name"] for figure in figures]
    if name not in names:
        raise Misuse(f"ipc: no operation {name}; there are {', '.join(marks.MARKS)}")
    return f"{name}: " + trace.report(rows[names.index(name)],
                                      trace.Symbols(build.artefact("kernel-release.elf")))


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
    several = (wanted or "").startswith(cores.PREFIX)
    return task.Request(options.emulator or EMULATORS[0], options.arguments,
                        vendor=options.cpu or "", rows=(wanted,) if wanted else (),
                        cores=cores.UP if several else 1)


def measure(options):
    if options.log:
        figures = task.figures_of_log(options.log, options.arguments)
        return figures, marks.table(figures)
    request = request_of(options)
    task.need(request.emulator)
    build.compile_all()
    if options.operation:
        figures, rows = task.counted_run(request)
        return figures, operation_report(options.operation, figures, rows)
    figures = task.counted_run(request)[0] if request.emulator == "qemu" else task.run(request)
    if not figures:
        raise Misuse(f"ipc: {request.emulator} takes no figure of those that begin with "
                     f"{options.only}")
    if SLOW_ARGUMENT not in request.arguments.split():
        figures += slow_figures(request, figures)
    return figures, marks.table(figures)
