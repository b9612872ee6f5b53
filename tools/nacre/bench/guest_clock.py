# SPDX-License-Identifier: BSD-2-Clause
"""A guest's clocks beside those of the machine that it runs on: how far they part in a time, and
what the guest's kernel says about its clock.

tests/system/systems/guest_clock: at the moment when a program of the guest reads its clocks, a
component reads the machine's HPET, which neither Nacre's clock nor the guest's is made of, and the
TSC, which both are.
"""

import dataclasses
import re

from nacre import places
from nacre.pack import cpio
from nacre.report import Failure, run_logged
from nacre.test.system_tests import inflated_kernel, replaced_iso

FOLDER = places.ROOT / "tests" / "system" / "systems" / "guest_clock"
PROMPT = "nacre-guest# "
LIMIT = 50  # parts in a million
OF_MACHINE = re.compile(r"\[chronometer\] HPET (\d+) of (\d+) fs, TSC (\d+) of (\d+) Hz")
OF_GUEST = re.compile(r"guest's clocks: (\d+) (\d+) (\d+)")
SOURCE = re.compile(r"clock source: (\w+)$", re.MULTILINE)
# What a kernel says that does not know its clock's rate or does not trust it.
DOUBTS = "unstable|calibration|skew"
DOUBT = re.compile(r"kernel's doubt: (.*)")
COMPILE = ("gcc", "-std=gnu2x", "-O2", "-Wall", "-Wextra", "-static", "-nostdlib", "-ffreestanding",
           "-fno-stack-protector", "-fno-pic", "-no-pie", "-Wl,--build-id=none")


@dataclasses.dataclass(frozen=True)
class Drift:
    """How much faster than the machine's HPET clocks went in `seconds`, in parts in a million;
    `error` is how wrong that may be, because clocks are not read at one moment."""

    seconds: float
    monotonic: float
    wall: float
    nacre: float
    error: float

    @property
    def worst(self):
        return max(abs(self.monotonic), abs(self.wall))

    def __str__(self):
        return (f"{self.seconds:.3f} s: monotonic {self.monotonic:+.3f} ppm, wall clock "
                f"{self.wall:+.3f} ppm (±{self.error:.3f}), Nacre's TSC {self.nacre:+.3f} ppm")


def program():
    """The guest's program, compiled."""
    target = places.BUILD / "system-tests" / "stamp"
    target.parent.mkdir(parents=True, exist_ok=True)
    run_logged([*COMPILE, "-o", target, FOLDER / "stamp.c"], "stamp")
    return target.read_bytes()


def make_iso(name):
    archive = cpio.Archive()
    archive.add_file("bin/stamp", program(), 0o755)
    return replaced_iso(name, {
        places.GUEST_KERNEL.name: inflated_kernel(),
        places.GUEST_INITRAMFS.name: places.GUEST_INITRAMFS.read_bytes() + archive.finish()},
        system=FOLDER / "guest_clock.system")


def script(seconds):
    """What is typed at the prompt, and the texts that come then; they differ from what is typed."""
    source = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
    return [
        ("send", f"echo clock source: $(cat {source})"), ("until", PROMPT),
        ("send", f"dmesg | grep -iE '{DOUBTS}' | grep -v 'delay loop (skipped)' | "
         "sed 's/^/kernel'\"'\"'s doubt: /'; stamp; echo first-$((1+1))"),
        ("until", "first-2"), ("until", PROMPT),
        ("send", f"sleep {seconds}; stamp; echo second-$((1+1))"), ("until", "second-2")]


def drift_of(text):
    """The drift in what the machine said."""
    machine = [tuple(map(int, found)) for found in OF_MACHINE.findall(text)]
    guest = [tuple(map(int, found)) for found in OF_GUEST.findall(text)]
    if len(machine) != 2 or len(guest) != 2:
        raise Failure(f"{len(machine)} times of the machine and {len(guest)} of the guest were "
                      "printed instead of 2")
    (count, period, tsc, hertz), (later_count, _, later_tsc, _) = machine
    (before, after, wall), (later_before, later_after, later_wall) = guest
    true = (later_count - count) * period / 1e15

    def parts(seconds):
        return (seconds / true - 1) * 1e6

    return Drift(true, parts((later_before - before) / 1e9), parts((later_wall - wall) / 1e9),
                 parts((later_tsc - tsc) / hertz),
                 (after - before + later_after - later_before) / 1e3 / true)


def problems(text):
    """What is wrong with the guest's clock in what the machine said, a line each."""
    drift = drift_of(text)
    source = SOURCE.search(text)
    if not source or source.group(1) != "tsc":
        yield f"the guest's clock source is {source and source.group(1)} instead of tsc"
    for line in DOUBT.findall(text):
        yield f"the guest's kernel says: {line.strip()}"
    if drift.worst + drift.error > LIMIT:
        yield f"more than {LIMIT} ppm: {drift}"
