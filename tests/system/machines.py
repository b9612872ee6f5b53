# SPDX-License-Identifier: BSD-2-Clause
"""Machines that are odd or old: the kernel starts, or says in one line why it does not."""

import random
import re
import signal
import struct
import threading
import time

from nacre import build, places
from nacre.machine import machine, monitor
from nacre.pack import iso, product
from nacre.test import results
from nacre.test.machine_tests import watch
from nacre.test.system_tests import judge

DISTURBED_BOOTS = 8
# Of the rate: what accesses of a microsecond leave open in rounds of 3 ms.
RATE_TOLERANCE = 0.002
MEMORY = 256
# The initial task without a system: this text comes from user mode.
STARTED = "the boot loader gave no system image"
STOPPED = "boot: nothing to run, stopped"
CORE = struct.pack("<BBBBI", 0, 8, 0, 0, 1)
IOAPIC = 0xfec00000
NOTHING = 0xfeb00000
REFUSED = "Nacre needs a 64-bit x86 CPU with NX"


def start_qemu(**settings):
    return machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), modules=(build.artefact("root.elf"),),
        memory=MEMORY, **settings)


def start_bochs(model):
    target = places.BUILD / "system-tests" / f"machine-{model}.iso"
    target.parent.mkdir(parents=True, exist_ok=True)
    iso = product.make_test_iso("root.elf", target)
    return machine.BochsMachine(iso=iso, memory=MEMORY, cpu=model)


def madt(*entries, base=0xfee00000):
    """An ACPI table of the interrupt controllers."""
    body = struct.pack("<II", base, 1) + b"".join(entries)
    table = bytearray(struct.pack("<4sIBB6s8sI4sI", b"APIC", 36 + len(body), 3, 0, b"NACRE ",
                                  b"MACHINES", 1, b"TEST", 1) + body)
    table[9] = -sum(table) & 0xff
    return bytes(table)


def ioapic(number, address):
    return struct.pack("<BBBBII", 1, 12, number, 0, address, 24 * number)


def check_madt(name, table, texts):
    """The table in place of the firmware's, by GRUB."""
    folder = places.BUILD / "system-tests" / "machines"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.aml").write_bytes(table)
    files, menu = iso.menu(
        build.artefact("kernel-debug.elf"), {"root.elf": build.artefact("root.elf")},
        prelude=f"{iso.PLACE}\nacpi --exclude=APIC $place/madt.aml")
    iso.pack(folder / f"{name}.iso", "grub.cfg",
             {**files, "madt.aml": folder / f"{name}.aml"}, menu, ["acpi"])
    running = machine.QemuMachine(iso=folder / f"{name}.iso", memory=MEMORY,
                                  clock="emulated")
    return judge(name, running, [("until", text) for text in (*texts, STARTED)])[0]


def madt_row(name, sentence, table, *texts):
    name = f"machine-{name}"
    return name, sentence, lambda: check_madt(name, table, texts)


def check_machine_check(name, before, arguments=""):
    """`before` fills banks before the kernel starts. Then comes an uncorrected error."""
    # It starts when the banks are filled, not when its clock does.
    with start_qemu(extra=("-S", *monitor.OPTIONS),
                    arguments=arguments, limit=None) as running:
        monitor.tell(running, *before, "cont")
        texts = ["machine check, before boot: bank 3, status 9c00000000000000, address 1234, "
                 "misc 5"] if before else []
        why, _, log = watch(running, f"system-{name}-boot",
                            [("until", text) for text in (*texts, STARTED)])
        if not why:
            monitor.tell(running, "mce 0 1 0xbe00000000000000 5 0x5678 0")
            why, _, log = watch(running, f"system-{name}", [
                ("until", "machine check: bank 1, status be00000000000000, address 5678"),
                ("until", "kernel panic: machine check, status 5")])
    name = f"system/{name}"
    return [results.failed(name, why, log) if why else results.passed(name)]


def disturb(running, is_over):
    """Stops the emulator for some milliseconds, again and again: a host with much to do."""
    luck = random.Random(1)
    while not is_over.wait(luck.uniform(0.0005, 0.004)):
        running.signal(signal.SIGSTOP)
        time.sleep(luck.uniform(0.0005, 0.006))
        running.signal(signal.SIGCONT)


def measure_rate(name, is_disturbed):
    """The TSC's rate in MHz as the kernel says it, or None with a line of why."""
    with start_qemu() as running:
        is_over = threading.Event()
        storm = threading.Thread(target=disturb, args=(running, is_over))
        if is_disturbed:
            storm.start()
        try:
            why, text, _ = watch(running, name, [("until", STARTED)])
        finally:
            is_over.set()
            if is_disturbed:
                storm.join()
    found = re.search(r"^clock: TSC ([0-9.]+) MHz", text, re.MULTILINE)
    return (float(found[1]), None) if found else (None, why or "the kernel says no rate")


def check_busy_host():
    """The rate is the host's own, so that of a boot in peace is the truth."""
    name = "system/machine-busy-host"
    truth, why = measure_rate("system-machine-quiet-host", False)
    for boot in range(DISTURBED_BOOTS):
        if why:
            return [results.failed(name, why)]
        rate, why = measure_rate(f"system-machine-busy-host-{boot}", True)
        if rate and abs(rate / truth - 1) > RATE_TOLERANCE:
            why = f"{rate} MHz in a disturbed boot, {truth} MHz in peace"
    return [results.failed(name, why) if why else results.passed(name)]


def qemu_row(name, sentence, texts, cpu):
    name = f"machine-{name}"
    return name, sentence, lambda: judge(name, start_qemu(cpu=cpu, clock="emulated"),
                                         [("until", text) for text in texts])[0]


def bochs_row(model, sentence, *texts):
    name = f"machine-{model.replace('_', '-')}"
    return name, sentence, lambda: judge(name, start_bochs(model),
                                         [("until", text) for text in texts])[0]


ROWS = [
    ("machine-busy-host", "the TSC's rate is right on a host that takes the CPU away",
     check_busy_host),
    ("machine-check", "a machine check is a panic with its bank; those of before boot are listed",
     lambda: check_machine_check("machine-check",
                                 ["mce 0 3 0x9c00000000000000 0 0x1234 5"])),
    ("machine-check-isolated", "so it is where programs' tables hide the kernel",
     lambda: check_machine_check("machine-check-isolated", [], "kpti=on")),
    madt_row("apic-wrong", "the CPU says where its local APIC is, not a table",
             madt(CORE, ioapic(0, IOAPIC), base=0xfeb00000), "apic: xAPIC, id 0"),
    madt_row("apic-ram", "so it is where the table points into RAM",
             madt(CORE, ioapic(0, IOAPIC), base=0x800000), "apic: xAPIC, id 0"),
    madt_row("ioapic-wrong", "I/O APICs in RAM or where nothing answers are left alone",
             madt(CORE, ioapic(1, 0x900000), ioapic(2, NOTHING), ioapic(0, IOAPIC)),
             "ioapic: at 900000 is RAM", f"ioapic: nothing answers at {NOTHING:x}",
             f"ioapic 0: 24 pins at {IOAPIC:x}"),
    madt_row("ioapics", "the I/O APIC that the table names last of ten is taken over too",
             madt(CORE, *(ioapic(i, NOTHING + 0x1000 * i) for i in range(9)),
                  ioapic(9, IOAPIC)), f"ioapic 0: 24 pins at {IOAPIC:x}"),
    qemu_row("few-leaves", "a CPU whose CPUID ends at leaf 3 for good is refused in a line",
             ['needs the CPU feature "xsave of sse"', STOPPED], "max,level=3"),
    qemu_row("no-nested-paging", "AMD-V without nested paging is left alone, in a line",
             ["svm: off: no nested paging", STARTED], "max,-npt"),
    bochs_row("ryzen", "an AMD CPU that refuses the MSR for LFENCE runs programs",
              "lfence", STARTED),
    bochs_row("zambezi", "so does an older one", "lfence", STARTED),
    bochs_row("trinity_apu", "and one between them", "lfence", STARTED),
    bochs_row("core_duo_t2400_yonah", "a CPU without 64-bit mode is refused in a whole line",
              REFUSED),
]
