# SPDX-License-Identifier: BSD-2-Clause
"""The system call fuzzer: an initial task that makes random system calls.

The machine's clock counts instructions, so a seed repeats its run exactly. Bochs is slower but has
VT-x, and so virtual CPUs.
"""

import re

from nacre import build, packages, places
from nacre.machine import machine
from nacre.pack import iso
from nacre.report import Failure, step
from nacre.terminal import console
from nacre.test import results

SEED = 20260000
COUNT = 750_000
# Where the kernel uses several cores.
CORES = 4
COUNT_ON_CORES = 400_000
# Bounds in the machine's own time, far from what calls take; a kernel that hangs reaches them.
START_SECONDS = 60
CALLS_PER_SECOND = {"qemu": 5000, "bochs": 100}
ARGUMENTS = "log=none"
VERDICT = re.compile(r"^fuzz: seed \d+, \d+ system calls, panics 0$", re.MULTILINE)


def start(emulator, options, limit, cores):
    kernel, program = build.artefact("kernel-debug.elf32"), build.artefact("tests-fuzz.elf")
    if emulator == "qemu":
        return machine.QemuMachine(kernel=kernel, modules=(program, options), memory=512,
                                   arguments=ARGUMENTS, clock="instructions", limit=limit,
                                   cores=cores)
    target = places.BUILD / "tests-fuzz.iso"
    iso.pack_nacre(target, build.artefact("kernel-debug.elf"),
                   {"root.elf": program, "fuzz.txt": options}, ARGUMENTS)
    return machine.BochsMachine(iso=target, memory=512, limit=limit, cores=cores)


def play(emulator, seed, count, cores=1):
    """Runs the fuzzer: (its verdict line or None, why it went wrong, log)."""
    name = "fuzz" if cores == 1 else "fuzz-cores"
    options = places.BUILD / f"{name}.txt"
    options.write_text(f"seed={seed} count={count}\n")
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / f"{name}.log"
    # Both the verdict and a panic of the kernel are one line with this word.
    steps = [("until", f"cores: {cores}\n"), ("until", "panic"), ("until", "\n")]
    limit = START_SECONDS + count // CALLS_PER_SECOND[emulator]
    with log.open("wb") as output, start(emulator, options, limit, cores) as running:
        why = console.Session(running, steps, output=output).run()
    text = log.read_text(errors="replace").replace("\r", "")
    verdict = VERDICT.search(text)
    if verdict:
        return verdict.group(), None, places.shown(log)
    last = "\n".join(text.strip().splitlines()[-3:])
    return None, f"{why or 'the kernel stopped'}; its last words:\n{last}", places.shown(log)


def run_default():
    """The row of the test suite."""
    verdict, why, log = play("qemu", SEED, COUNT)
    return [results.passed("fuzz", verdict) if verdict else results.failed("fuzz", why, log)]


def run_on_cores():
    """The row of the test suite for several cores."""
    verdict, why, log = play("qemu", SEED, COUNT_ON_CORES, CORES)
    return [results.passed("fuzz-cores", verdict) if verdict
            else results.failed("fuzz-cores", why, log)]


def run(options):
    """`./nacre fuzz`: a run with a seed and length of one's own."""
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    build.compile_all()
    step(f"making {options.count} random system calls with seed {options.seed}, "
         f"cores: {options.cores}")
    verdict, why, log = play(options.emulator, options.seed, options.count, options.cores)
    if verdict is None:
        raise Failure(f"seed {options.seed}: {why}\nall it said: {log}")
    print(verdict)
    return 0
