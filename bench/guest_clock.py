# SPDX-License-Identifier: BSD-2-Clause
"""How far does a guest's clock go wrong in an hour?

A Linux guest reads its clocks, sleeps for an hour of the machine's time, and reads them again; the
machine's HPET is the yardstick (nacre.bench.guest_clock). By AMD-V in QEMU, where instructions are
counted and idle time is skipped, and by VT-x in Bochs, which does the same.
"""

from nacre import build, packages, places
from nacre.bench import guest_clock
from nacre.machine import emulator, machine
from nacre.pack import product
from nacre.report import Failure, step
from nacre.terminal import console

EMULATORS = ("qemu", "bochs")
SECONDS = 3600


def start(name, iso):
    if name == "bochs":
        return machine.BochsMachine(iso=iso, memory=emulator.MEMORY, limit=None)
    return machine.QemuMachine(iso=iso, memory=emulator.MEMORY, cpu="max", clock="emulated",
                               limit=None)


def measured(name):
    """What the machine of this emulator said."""
    iso = guest_clock.make_iso(f"bench-guest-clock-{name}")
    log = places.LOGS / f"bench-guest-clock-{name}.log"
    places.LOGS.mkdir(parents=True, exist_ok=True)
    step(f"an hour of the machine's time in {emulator.TITLES[name]} ({places.shown(log)})")
    with log.open("wb") as output, start(name, iso) as running:
        why = console.Session(running, [("until", guest_clock.PROMPT),
                                        *guest_clock.script(SECONDS)], output=output).run()
    if why:
        raise Failure(f"{name}: {why} ({places.shown(log)})")
    return log.read_text(errors="replace").replace("\r", "")


def measure(options):
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    build.compile_all()
    product.guest_files()
    figures, lines = [], []
    for name in [options.emulator] if options.emulator else EMULATORS:
        text = measured(name)
        drift = guest_clock.drift_of(text)
        figures.append({"name": name, "unit": "ppm", "seconds": round(drift.seconds, 3),
                        "monotonic": round(drift.monotonic, 3), "wall": round(drift.wall, 3),
                        "error": round(drift.error, 3), "limit": guest_clock.LIMIT})
        lines += [f"{name}: {drift}", *(f"{name}: {problem} *" for problem in
                                        guest_clock.problems(text))]
    return figures, "\n".join(lines)
