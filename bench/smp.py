# SPDX-License-Identifier: BSD-2-Clause
"""What do several cores cost, and what do they share?

The rows of bench-kernel.elf that one core can run, with one and with four cores up; its rows whose
names begin with cores-, with tools/plugin, which tells what each core executed in the kernel, what
of that only waited for another core, and which lines two cores wrote; and in Bochs, where each core
executes one instruction a tick, how many calls 1, 2, 4 and 8 cores make. All once more with the
kernel's option biglock=on, a lock at every entry.
"""

import dataclasses

from nacre import build
from nacre.bench import cores
from nacre.bench import measure as task
from nacre.report import Failure

EMULATORS = ("qemu",)
# QEMU's CPU with AMD-V.
CPU = "max"
MOST = 8


def figure(name, unit, median, arguments, **fields):
    made = {"name": name + (cores.BIG_LOCK if arguments else ""), "unit": unit, "median": median,
            "machine": "qemu-icount", **fields}
    return {**made, "arguments": arguments} if arguments else made


def local_figures(request, count):
    """What one core does while `count` are up, of which the others are idle."""
    found = []
    for rows in cores.LOCAL_ROWS:
        found += task.run(dataclasses.replace(request, rows=rows, cores=count))
    return [figure(cores.local_name(one["name"], count), one["unit"], one["median"],
                   request.arguments) for one in found if one["name"] in cores.LOCAL]


def shared_figures(request):
    """What cores do with each other, or beside each other, by the plugin."""
    figures, rows = task.counted_run(dataclasses.replace(request, rows=cores.SHARED_ROWS,
                                                         cores=cores.UP))
    for one, row in zip(figures, rows):
        if row.lost or not row.sharing:
            raise Failure(f"smp: the counting plugin did not see all of {one['name']}")
        sharing = dataclasses.asdict(row.sharing)
        if one["name"].startswith(cores.LOCAL_ROW):
            yield figure(one["name"], "lines", row.sharing.written_by_two, request.arguments,
                         **sharing)
        elif one["name"] == cores.UNMAP:
            yield figure(one["name"], "instructions", row.cores[0], request.arguments, **sharing)
        else:
            yield figure(one["name"], "instructions", sum(row.cores.values()), request.arguments,
                         **sharing)


def rate_figures(arguments):
    request = task.Request("bochs", arguments, rows=(cores.RATE,), cores=MOST)
    found = {one["name"]: one["median"] for one in task.run(request)}
    for name, calls in found.items():
        yield {**figure(name, "calls", calls, arguments), "machine": "bochs"}


def figures_with(arguments):
    request = task.Request("qemu", arguments, cpu=CPU)
    return [*local_figures(request, 1), *local_figures(request, cores.UP), *shared_figures(request),
            *rate_figures(arguments)]


def measure(options):
    for emulator in ("qemu", "bochs"):
        task.need(emulator, with_guests=True)
    build.compile_all()
    figures = figures_with(options.arguments)
    locked = figures_with(f"{options.arguments} {cores.BIG_LOCK_ARGUMENT}".strip())
    return figures + locked, cores.table(figures, locked)
