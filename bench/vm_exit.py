# SPDX-License-Identifier: BSD-2-Clause
"""What does a VM exit cost, to the VMM and back, for each of the usual reasons?

The rows of bench-kernel.elf that need VT-x, which Bochs has everywhere: there the time stamp
counter is the count of instructions, the guest's included. Exits by the state page are measured
with the mitigations of the CPU, and in a second run without them.
"""

import dataclasses

from nacre import build
from nacre.bench import marks
from nacre.bench import measure as task
from nacre.report import Failure

EMULATORS = ("bochs", "kvm")


def unmitigated_figures(request):
    """Those of the state page, with the mitigations of Bochs' CPU off."""
    arguments = f"{request.arguments} {marks.UNMITIGATED_ARGUMENTS}".strip()
    found = task.run(dataclasses.replace(request, arguments=arguments, rows=marks.PAGE))
    return [{**figure, "name": figure["name"] + marks.UNMITIGATED} for figure in found]


def measure(options):
    request = task.Request(options.emulator or EMULATORS[0], options.arguments, rows=marks.GUESTS)
    task.need(request.emulator)
    build.compile_all()
    figures = task.run(request)
    if not figures:
        raise Failure(f"vm-exit: the kernel found no VT-x in {request.emulator}: see its log")
    if marks.is_unmitigated(options.arguments):
        return figures, marks.table(figures)
    without = unmitigated_figures(request)
    return figures + without, (f"{marks.table(figures)}\n\n{marks.UNMITIGATED_ARGUMENTS}:\n"
                               f"{marks.table(without)}")
