# SPDX-License-Identifier: BSD-2-Clause
"""Panics on machines with several cores: one core speaks, all stop."""

import time

from nacre import build
from nacre.machine import machine, monitor
from nacre.test import results
from nacre.test.machine_tests import watch

# The tests of several cores keep all of them at work, and print.
WORK = "PASS cores-count"
STOPPED_SECONDS = 1
PANIC = "kernel panic: "
ERROR = "1 0xbe00000000000000 5 0x5678 0"


def start(cores):
    return machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), modules=(build.artefact("tests-cores.elf"),),
        memory=512, cores=cores, cpu="max", limit=None, extra=monitor.OPTIONS)


def check_stop(name, command):
    """A machine check comes to one core or to all. What is printed until QEMU is ended is one
    panic, and nothing of the tests."""
    with start(4) as running:
        why, _, log = watch(running, f"system-{name}-work", [("until", WORK), ("until", "PASS")])
        if why:
            return [results.failed(f"system/{name}", why, log)]
        monitor.tell(running, f"mce {command}")
        why, text, log = watch(running, f"system-{name}", [("until", PANIC), ("until", "cr4")])
        time.sleep(STOPPED_SECONDS)
        monitor.tell(running, "quit")
        _, more, _ = watch(running, f"system-{name}-end", [("until", "no such text")])
    after = text.partition(PANIC)[2] + more
    if not why and (PANIC in after or "PASS" in after):
        why = f"another core went on: {after[-300:]}"
    return [results.failed(f"system/{name}", why, log) if why
            else results.passed(f"system/{name}")]


ROWS = [
    ("panic-one-core", "a panic of one core stops the others", lambda: check_stop(
        "panic-one-core", f"2 {ERROR}")),
    ("panic-all-cores", "of a machine check that comes to all cores one speaks", lambda: check_stop(
        "panic-all-cores", f"-b 1 {ERROR}")),
]
