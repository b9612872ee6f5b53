# SPDX-License-Identifier: BSD-2-Clause
"""How many instructions does an item take through a ring from one component to another?

Two consumers and a producer on the component runtime, under the release kernel in QEMU with
-icount shift=0, where the time stamp counter is the count of instructions. All that is executed on
the way is counted: putting, taking, notifications and the kernel's switches between the components.
"""

import json

from nacre import build, packages, places
from nacre.machine import machine
from nacre.pack import product
from nacre.report import Failure, step
from nacre.terminal import console

EMULATORS = ("qemu",)
END = "ring bench done"
DESCRIPTION = places.ROOT / "bench" / "ring" / "ring.system"
# Instructions an item, for batches of 32.
MARK = 60
MARKED = ("asleep-32", "awake-32")


def figures_of(text):
    """The figures in the producer's output, an item's share as the median."""
    found = []
    for line in text.splitlines():
        if line.startswith('{"name"'):
            figure = json.loads(line)
            figure["median"] = round(figure.pop("ticks") / figure["items"], 1)
            found.append({**figure, "unit": "instructions", "machine": "qemu, icount"})
    return found


def table(figures):
    lines = [f"{'instructions an item':24}{'batch':>7}{'median':>8}{'notifications':>15}"]
    for figure in figures:
        peer = figure["name"].split("-")[0]
        lines.append(f"{'consumer ' + peer:24}{figure['batch']:>7}{figure['median']:>8}"
                     f"{figure['notifications']:>9} of {figure['items'] // figure['batch']}")
    return "\n".join(lines)


def verdict(figures):
    """What misses its mark, as lines."""
    missed = [f"* {figure['name']}: {figure['median']} instructions, mark: under {MARK}"
              for figure in figures if figure["name"] in MARKED and figure["median"] >= MARK]
    missed += [f"* {figure['name']}: a consumer that is awake was notified "
               f"{figure['notifications']} times"
               for figure in figures
               if figure["name"].startswith("awake") and figure["notifications"] > 0]
    return "\n".join(missed or [f"under {MARK} instructions an item at batch 32; a consumer that "
                                "is awake is never notified"])


def measure(_):
    packages.ensure(packages.BUILD, packages.EMULATE)
    build.compile_all()
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / "bench-ring.log"
    step(f"measuring the ring in QEMU, counting instructions ({places.shown(log)})")
    image = product.compose(DESCRIPTION, places.BUILD / "bench-ring.img", "release")
    with log.open("wb") as output, machine.QemuMachine(
            kernel=build.artefact("kernel-release.elf32"),
            modules=(build.artefact("root.elf"), image), clock="instructions") as running:
        why = console.Session(running, [("until", END)], output=output).run()
    figures = figures_of(log.read_text(errors="replace"))
    if why:
        raise Failure(f"ring: {why} ({places.shown(log)})")
    return figures, f"{table(figures)}\n{verdict(figures)}"
