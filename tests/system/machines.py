# SPDX-License-Identifier: BSD-2-Clause
"""Machines that are odd or old: the kernel starts, or says in one line why it does not."""

from nacre import build, machine, places, product
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


def qemu_row(name, sentence, texts, *extra):
    name = f"machine-{name}"
    return name, sentence, lambda: judge(name, start_qemu(*extra), SECONDS,
                                         [("until", text) for text in texts])[0]


def bochs_row(model, sentence, *texts):
    name = f"machine-{model.replace('_', '-')}"
    return name, sentence, lambda: judge(name, start_bochs(model), SECONDS,
                                         [("until", text) for text in texts])[0]


ROWS = [
    qemu_row("few-leaves", "a CPU whose CPUID ends at leaf 3 for good is refused in a line",
             ['needs the CPU feature "xsave of sse"', STOPPED], "-cpu", "max,level=3"),
    bochs_row("ryzen", "an AMD CPU that refuses the MSR for LFENCE runs programs",
              "lfence", STARTED),
    bochs_row("zambezi", "so does an older one", "lfence", STARTED),
    bochs_row("trinity_apu", "and one between them", "lfence", STARTED),
    bochs_row("core_duo_t2400_yonah", "a CPU without 64-bit mode is refused in a whole line",
              REFUSED),
]
