# SPDX-License-Identifier: BSD-2-Clause
"""What does a guest cost: until its login prompt, a disk's block, a packet, while it idles, in
memory, in a compilation?

By AMD-V in QEMU, with the release kernel. Instructions beside a guest are those that are executed
between an exit and the next entry (tools/nacre/bench/guest_share.py); the start is measured in the
emulator's processor time, which says the same on a busy host. docs/performance.md has the methods.
"""

import dataclasses

from nacre import packages
from nacre.bench import guest_debian, guest_memory, guest_probes

EMULATORS = ("qemu",)
LOGIN_LIMIT, IDLE_LIMIT, COMPILE_LIMIT, MEMORY_LIMIT = 1.3, 20, 1.10, 2048


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table: what was measured, its mark if it has one, and more for people."""

    name: str
    title: str
    unit: str
    value: float
    limit: float | None = None
    details: dict = dataclasses.field(default_factory=dict)

    def figure(self):
        """Ratios of processor time differ from run to run, so --compare leaves them alone."""
        value = {"value" if self.unit == "processor time" else "median": self.value}
        limit = {"limit": self.limit} if self.limit is not None else {}
        return {"name": self.name, "unit": self.unit, **value, **limit, **self.details}

    def cells(self):
        met = "" if self.limit is None else "yes" if self.value <= self.limit else "no"
        more = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number
                         in self.details.items())
        return (self.title, self.unit, "" if self.limit is None else f"{self.limit:,}",
                f"{self.value:,}", met, more)


def table(rows):
    heads = ("measurement", "unit", "mark", "figure", "met", "of it")
    cells = [heads, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in cells)


def measure_login():
    nacre, *bare = guest_debian.boots()
    seconds, wall = guest_debian.seconds_to_login(nacre)
    for boot, name, limit in zip(bare, ("login", "login-by-loader"), (LOGIN_LIMIT, None)):
        other, other_wall = guest_debian.seconds_to_login(boot)
        yield Row(name, f"Debian's login prompt as a guest / {boot.title}", "processor time",
                  round(seconds / other, 3), limit, {
                      "guest": round(seconds, 1), "bare": round(other, 1),
                      "guest_by_the_clock": round(wall), "bare_by_the_clock": round(other_wall)})


def measure_requests(measured):
    for work, counts in measured():
        yield Row(work.name, work.title, "instructions", round(counts.beside / work.units),
                  work.limit, {"kernel": round(counts.kernel / work.units),
                               "programs": round(counts.programs / work.units),
                               "guest": round(counts.guest / work.units),
                               "exits": round(counts.entries / work.units, 2)})


def idle_row(name, title, counts, seconds):
    return Row(name, title, "exits", round(counts.entries / seconds, 2), IDLE_LIMIT,
               {"instructions_a_second": round(counts.all / seconds),
                "beside_the_guest": round(counts.beside / seconds)})


def measure_idle():
    yield idle_row("idle", "exits a second of a guest that sleeps", guest_probes.idle(),
                   guest_probes.IDLE_SECONDS)


def measure_debian():
    nacre, _, bare = guest_debian.boots()
    idle, *compiled = guest_debian.work(nacre)
    yield idle_row("debian-idle", "exits a second of Debian at its prompt", idle,
                   guest_debian.IDLE_SECONDS)
    names = (("debian-compile", "gcc, from the disk, as a guest / bare"),
             ("debian-compile-again", "gcc once more, as a guest / bare"))
    for (name, title), ours, other in zip(names, compiled, guest_debian.work(bare)[1:]):
        yield Row(name, title, "instructions", round(ours.all / other.all, 4), COMPILE_LIMIT,
                  {"guest": ours.guest, "beside": ours.beside, "bare": other.all,
                   "exits": ours.entries})


def measure_memory():
    yield Row("memory", "memory of a second guest beside its RAM", "KiB",
              -(-guest_memory.beside_ram() // 1024), MEMORY_LIMIT)


PARTS = (
    (("login", "login-by-loader"), measure_login),
    (guest_probes.names(guest_probes.BLOCKS), lambda: measure_requests(guest_probes.blocks)),
    (guest_probes.names(guest_probes.PACKETS), lambda: measure_requests(guest_probes.packets)),
    (("idle",), measure_idle),
    (("debian-idle", "debian-compile", "debian-compile-again"), measure_debian),
    (("memory",), measure_memory),
)
NAMES = [name for names, _ in PARTS for name in names]


def measure(options):
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    only = options.only or ""
    rows = []
    for names, measured in PARTS:
        if any(name.startswith(only) for name in names):
            rows += [row for row in measured() if row.name.startswith(only)]
    return [row.figure() for row in rows], table(rows)
