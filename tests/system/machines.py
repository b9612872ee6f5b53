# SPDX-License-Identifier: BSD-2-Clause
"""Machines that are odd or old: the kernel starts, or says in one line why it does not."""

import socket
import time

from nacre import build, machine, places, product, results
from nacre.machine_tests import watch
from nacre.report import Failure
from nacre.system_tests import judge

SECONDS = 120
MEMORY = 256
# The initial task without a system: whoever reads this runs in user mode.
STARTED = "the boot loader gave no system image"
STOPPED = "boot: nothing to run, stopped"
REFUSED = "Nacre needs a 64-bit x86 CPU with NX"


def start_qemu(*extra, arguments=""):
    return machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), modules=(build.artefact("root.elf"),),
        memory=MEMORY, arguments=arguments, extra=extra)


def start_bochs(model):
    target = places.BUILD / "system-tests" / f"machine-{model}.iso"
    target.parent.mkdir(parents=True, exist_ok=True)
    iso = product.make_test_iso("root.elf", target)
    return machine.BochsMachine(iso=iso, memory=MEMORY, cpu=model)


def connect_monitor(running):
    """QEMU makes the monitor's socket after COM1's."""
    monitor = socket.socket(socket.AF_UNIX)
    monitor.settimeout(SECONDS)
    for _ in range(100):
        try:
            monitor.connect(str(running.directory / "monitor"))
            return monitor
        except OSError:
            time.sleep(0.1)
    monitor.close()
    raise Failure("QEMU has no monitor")


def tell_monitor(running, *commands):
    """Types commands at QEMU's monitor; returns when QEMU has answered all of them."""
    with connect_monitor(running) as monitor:
        for command in (None, *commands):
            if command:
                monitor.sendall(f"{command}\n".encode())
            answer = b""
            while not answer.endswith(b"\n(qemu) "):
                answer += monitor.recv(4096)


def check_machine_check(name, before, arguments=""):
    """`before`: what is in a bank when the kernel starts. Then an error that cannot be corrected."""
    with start_qemu("-S", "-monitor", "unix:monitor,server=on,wait=off",
                    arguments=arguments) as running:
        tell_monitor(running, *before, "cont")
        texts = ["machine check, before boot: bank 3, status 9c00000000000000, address 1234, "
                 "misc 5"] if before else []
        why, _, log = watch(running, f"system-{name}-boot", SECONDS,
                            [("until", text) for text in (*texts, STARTED)])
        if not why:
            tell_monitor(running, "mce 0 1 0xbe00000000000000 5 0x5678 0")
            why, _, log = watch(running, f"system-{name}", SECONDS, [
                ("until", "machine check: bank 1, status be00000000000000, address 5678"),
                ("until", "kernel panic: machine check, status 5")])
    name = f"system/{name}"
    return [results.failed(name, why, log) if why else results.passed(name)]


def qemu_row(name, sentence, texts, *extra):
    name = f"machine-{name}"
    return name, sentence, lambda: judge(name, start_qemu(*extra), SECONDS,
                                         [("until", text) for text in texts])[0]


def bochs_row(model, sentence, *texts):
    name = f"machine-{model.replace('_', '-')}"
    return name, sentence, lambda: judge(name, start_bochs(model), SECONDS,
                                         [("until", text) for text in texts])[0]


ROWS = [
    ("machine-check", "a machine check is a panic with its bank; those of before boot are listed",
     lambda: check_machine_check("machine-check",
                                 ["mce 0 3 0x9c00000000000000 0 0x1234 5"])),
    ("machine-check-isolated", "so it is where programs' tables hide the kernel",
     lambda: check_machine_check("machine-check-isolated", [], "kpti=on")),
    qemu_row("few-leaves", "a CPU whose CPUID ends at leaf 3 for good is refused in a line",
             ['needs the CPU feature "xsave of sse"', STOPPED], "-cpu", "max,level=3"),
    bochs_row("ryzen", "an AMD CPU that refuses the MSR for LFENCE runs programs",
              "lfence", STARTED),
    bochs_row("zambezi", "so does an older one", "lfence", STARTED),
    bochs_row("trinity_apu", "and one between them", "lfence", STARTED),
    bochs_row("core_duo_t2400_yonah", "a CPU without 64-bit mode is refused in a whole line",
              REFUSED),
]
