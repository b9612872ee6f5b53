# SPDX-License-Identifier: BSD-2-Clause
"""What does a VM exit cost, to the VMM and back, for each of the usual reasons?

The rows of bench-kernel.elf that need VT-x or AMD-V. Bochs has VT-x everywhere, and QEMU AMD-V: in
both the time stamp counter is the count of instructions, the guest's included. In Bochs exits by
the state page are measured with the mitigations of its CPU, and in a second run without them. The
names of AMD-V's figures end in -amd-v.
"""

import dataclasses

from nacre import build
from nacre.bench import marks
from nacre.bench import measure as task
from nacre.report import Failure

EMULATORS = ("bochs", "qemu", "kvm")
BOTH = EMULATORS[:2]
# QEMU's CPU with AMD-V.
CPU = "max"


def renamed(figures, suffix):
    return [{**figure, "name": figure["name"] + suffix} for figure in figures]


def unmitigated_figures(request):
    """Those of the state page, with the mitigations of Bochs' CPU off."""
    arguments = f"{request.arguments} {marks.UNMITIGATED_ARGUMENTS}".strip()
    found = task.run(dataclasses.replace(request, arguments=arguments, rows=marks.PAGE))
    return renamed(found, marks.UNMITIGATED)


def measure_in(emulator, arguments):
    """The figures of one machine, and tables of them."""
    request = task.Request(emulator, arguments, rows=marks.GUESTS,
                           cpu=CPU if emulator == "qemu" else "")
    task.need(emulator, with_guests=True)
    build.compile_all()
    figures = task.run(request)
    if not figures:
        raise Failure(f"vm-exit: the kernel found neither VT-x nor AMD-V in {emulator}: "
                      "see its log")
    if emulator == "qemu":
        figures = renamed(figures, marks.AMD_V)
    if emulator == "qemu" or marks.is_unmitigated(arguments):
        return figures, [marks.table(figures)]
    without = unmitigated_figures(request)
    return figures + without, [marks.table(figures),
                               f"{marks.UNMITIGATED_ARGUMENTS}:\n{marks.table(without)}"]


def measure(options):
    figures, tables = [], []
    for emulator in [options.emulator] if options.emulator else BOTH:
        found, shown = measure_in(emulator, options.arguments)
        figures += found
        tables += [f"in {emulator}:\n{table}" for table in shown]
    return figures, "\n\n".join(tables)
