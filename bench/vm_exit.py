# SPDX-License-Identifier: BSD-2-Clause
"""What does a VM exit cost, to the VMM and back, for each of the usual reasons?

The rows of bench-kernel.elf that need VT-x, which Bochs has everywhere: there the time stamp
counter is the count of instructions, the guest's included.
"""

from nacre import build
from nacre.bench import marks
from nacre.bench import measure as task
from nacre.report import Failure

EMULATORS = ("bochs", "kvm")


def measure(options):
    emulator = options.emulator or EMULATORS[0]
    task.need(emulator)
    build.compile_all()
    figures = task.run(task.Request(emulator, options.arguments, marks.GUESTS))
    if not figures:
        raise Failure(f"vm-exit: the kernel found no VT-x in {emulator}: see its log")
    return figures, marks.table(figures)
