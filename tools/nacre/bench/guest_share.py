# SPDX-License-Identifier: BSD-2-Clause
"""Who executes how many instructions in a QEMU machine between two marks: bench/guest/load.c has
the marks, tools/plugin/share.c counts."""

import dataclasses
import pathlib

from nacre import build, places
from nacre.machine import machine
from nacre.report import Failure, run_logged, step
from nacre.terminal import console

SOURCE = places.ROOT / "bench" / "guest" / "load.c"
FOLDER = places.BUILD / "bench-guest"
CPU = "max"
# Of the machine's own time.
SECONDS = 1800
COMPILE = ("gcc", "-std=gnu2x", "-O2", "-Wall", "-Wextra", "-static", "-nostdlib", "-ffreestanding",
           "-fno-stack-protector", "-fno-pic", "-no-pie", "-Wl,--build-id=none", "-s")


@dataclasses.dataclass(frozen=True)
class Counts:
    """Instructions of guests, and beside them of kernels and of programs; VM entries, each of which
    ends with an exit."""

    guest: int
    kernel: int
    programs: int
    entries: int

    @property
    def beside(self):
        """What is not a guest's own."""
        return self.kernel + self.programs

    @property
    def all(self):
        return self.guest + self.beside

    def since(self, before):
        return Counts(*(getattr(self, field.name) - getattr(before, field.name)
                        for field in dataclasses.fields(self)))


def program():
    """The guest's program, compiled."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    target = FOLDER / "load"
    run_logged([*COMPILE, "-o", target, SOURCE], "bench-guest-load")
    return target


def counts_of(text, name):
    """The counts at each mark, and at the machine's end."""
    try:
        return [Counts(*map(int, line.split(" "))) for line in text.splitlines()]
    except (ValueError, TypeError) as error:
        raise Failure(f"{name}: a damaged line of counts: {error}") from error


def between(counts):
    """What was counted between the first and the second mark, the third and the fourth, ..."""
    return [after.since(before) for before, after in zip(counts[::2], counts[1::2])]


def run(name, steps, marks, **settings):
    """Lets a machine run through a script: the counts at its marks, which must be so many."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log, counted = (places.LOGS / f"bench-guest-{name}.{kind}" for kind in ("log", "counted"))
    pathlib.Path(counted).unlink(missing_ok=True)
    words = [str(build.artefact("share.so")), f"out={counted}"]
    plugin = ",".join(word.replace(",", ",,") for word in words)
    extra = (*settings.pop("extra", ()), "-plugin", plugin)
    step(f"guest: {name} ({places.shown(log)})")
    with machine.QemuMachine(cpu=CPU, clock="emulated", limit=SECONDS, extra=extra,
                             **settings) as running, log.open("wb") as output:
        why = console.Session(running, steps, output=output).run()
        said = running.output(400)
    if why:
        raise Failure(f"{name}: {why} ({places.shown(log)})\n{said}")
    counts = counts_of(counted.read_text(), name)[:marks]
    if len(counts) != marks:
        raise Failure(f"{name}: {len(counts)} marks were counted instead of {marks} "
                      f"({places.shown(counted)})")
    return counts
