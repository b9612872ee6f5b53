# SPDX-License-Identifier: BSD-2-Clause
"""Small systems of tests/system/systems: families, restarts, and the library's answers to
misuse."""

import re
import shutil

from nacre import build, places
from nacre.machine import emulator, machine
from nacre.pack import product
from nacre.test import results
from nacre.test.system_tests import judge, replaced_iso

FOLDER = places.ROOT / "tests" / "system" / "systems"

GUEST = FOLDER / "guest_long" / "guest_long.system"
ACPI_OFF = ("-machine", "acpi=off")
LIFE = ["driver: start", *["driver: interrupt"] * 3, "system: 'driver' was stopped"]

# System -> what it shows, the expected texts in order, and what no component may print.
CASES = {
    "family": (
        "a parent answers its child's fault; restarted, it takes the child with it",
        ["parent: start 1\n", "kid: start", "parent: fault of the right child 1", "kid: resumed",
         "parent: notified on 4", "system: 'parent' was stopped: write to 0x0",
         "(restart 1 of 1)", "parent: start 2\n", "kid: start",
         "parent: fault of the right child 1", "kid: resumed", "parent: done 2"],
        "child 0"),
    "passive_restart": (
        "a passive server's crash gives its caller an answer and its time back",
        ["server: start", *["client: answered", "server: start", "client: restarted"] * 3,
         "client: done"],
        "refused"),
    "server_time": (
        "a passive server whose caller is destroyed in a call finishes it and serves the next",
        ["parent: life 1\n", "kid: calls", "(restart 1 of 2)", "parent: life 2\n",
         "server: done", "kid: calls", "(restart 2 of 2)", "parent: life 3\n", "inner: done",
         "server: done", "kid: calls", "server: done", "kid: answered"],
        "could not|refused"),
    "driver_restart": (
        "a restarted driver has its ports and its interrupt again",
        [*LIFE, *LIFE, *LIFE, "all 2 restarts are used up"],
        "stranger"),
    "deferred": (
        "deferred operations are all carried out after the entry point",
        ["speaker: init ends", "listener: ready", "listener: 1\n", "listener: 2\n",
         "listener: answered", "listener: 1\n", "listener: 2\n"],
        "was stopped"),
    "invalid": (
        "the library names identifiers that were not given, and does nothing",
        ["invalid microkit_notify: invalid channel given '0'",
         "invalid microkit_deferred_notify: invalid channel given '61'",
         "invalid microkit_irq_ack: invalid interrupt given '62'",
         "invalid microkit_deferred_irq_ack: invalid interrupt given '63'",
         "invalid microkit_ppcall: invalid channel given '64'",
         *[f"invalid microkit_x86_ioport_{name}: invalid I/O port given '{number}'"
           for name, number in (("write_8", 1), ("write_16", 61), ("write_32", 62),
                                ("read_8", 63), ("read_16", 64), ("read_32", 4000000000))],
         "invalid microkit_vcpu_x86_enable_ioport: invalid I/O port given '5'",
         "255 still here", "invalid microkit_x86_ioport_write_8: the kernel refused with error ",
         "system: 'invalid' was stopped: write to 0x"],
        "a reply came|a port was read|a slot was found"),
    "missing_entry": (
        "a call or fault without its entry point stops the component and says which",
        ["parent was sent a fault but has no entry point 'fault'",
         "system: 'parent' was stopped: write to 0x0", "assertion failed: 1 == 2, asserter.c:8",
         "system: 'asserter' was stopped", "callee was called but has no entry point 'protected'",
         "system: 'callee' was stopped: write to 0x0"],
        "'crasher' was stopped"),
    "net_hostile": (
        "stations that flood, do not read, or crash keep no other from the network",
        ["deaf: is there", "host: 10.0.2.1 is ready", "pinger: all answered",
         # Its reports may be cut by what those of higher priority print.
         *["crasher: asks", "crasher: was answered"] * 3,
         "all 3 restarts are used up", "flooder: still at it"],
        "'(vswitch|flooder|deaf|host|pinger)' was stopped"),
    "spinner": (
        "a component that spins delays no restart of one of higher priority",
        ["system: 'faulter_", "' was stopped: write to 0x10", *["victim: faults"] * 3,
         "all 2 restarts are used up"],
        # After twelve reports none was left for the spinner to delay.
        "'spinner' was stopped|(?s:('faulter_[0-9]+' was stopped.*){12})"),
    "unmet": (
        "a component that needs what the machine does not have is omitted; the rest runs",
        ["'place' is not started: memory region 'nowhere' at 0xfee00000: ",
         "'pin' is not started: pin 119 of I/O APIC 0: this machine has none",
         "'unit' is not started: pin 4000000000 of I/O APIC 4000000000: this machine has none",
         "'parent' is not started: pin 120 of I/O APIC 0: ",
         "'kid' is not started: its parent 'parent' is not",
         "'time' is not started: 1000 us in 18446744073709486080 us: the kernel takes at most ",
         "'memory' is not started: not enough memory, ",
         "'wide' is not started: not enough memory, ",
         "user: no answer", "user: the peer answers"],
        "without what it needs|was stopped|'(user|peer)' is not started"),
    "missing_cores": (
        "domains for cores that the machine does not have are placed on core 0, in one line",
        ["system: the last core here is 0; on core 0 instead: 'far' (core 1), "
         "'farther' (core 63), interrupt 5 of 'driver' (core 2), "
         "interrupt 6 of 'messages' (core 3)\n",
         "far: runs", "kid: runs", "farther: runs", "driver: runs", "near: runs",
         "messages: runs"],
        "not started|was stopped"),
    "four_cores": (
        "calls, notifications, faults, restarts and interrupts from core to core",
        ["four cores: all right"],
        "wrong|not started"),
    "io_space": (
        "a description for an IOMMU runs on a machine without one, and says so",
        ["no IOMMU here, so these devices reach all memory: 'card'\n", "driver: runs"],
        "was stopped"),
    "no_pci_ports": (
        "devices that cannot be found are given no memory, and a line says so",
        ["system: no PCI ports: devices of components are given no memory\n", "holder: runs",
         "pci: runs", "driver: runs"],
        "reach all memory|not started|was stopped"),
    "fixed_frames": (
        "megabytes of 4 KiB pages at fixed addresses, in any order",
        ["fixed: all pages are there"],
        "wrong page|was stopped"),
    "utilisation": (
        "the benchmark kernel counts a thread's entries, schedules and time",
        [f"meter: {what} right" for what in (
            "start", "number of log entries", "kernel entries", "schedules",
            "time in the kernel", "time", "schedules of the core", "kernel entries of the core",
            "new start")] + ["meter: done"],
        "meter: .* wrong"),
}
FLAVOURS = {"utilisation": "benchmark"}
# Cores of the machine, where it is not one.
CORES = {"four_cores": 4}


def composed(description, flavour="debug"):
    folder = places.BUILD / "system-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return product.compose(description, folder / f"{description.stem}.img", flavour)


def check(name, words=None, extra=(), description=None):
    _, texts, forbidden = words or CASES[name]
    flavour = FLAVOURS.get(name, "debug")
    image = composed(description or FOLDER / name / f"{name}.system", flavour)
    running = machine.QemuMachine(
        kernel=build.artefact(f"kernel-{flavour}.elf32"),
        modules=(build.artefact("root.elf"), image), memory=emulator.MEMORY,
        cores=CORES.get(name, 1), clock="instructions", extra=extra)
    found, said = judge(f"system-{name}{'-'.join(extra)}", running,
                        [("until", text) for text in texts])
    if re.search(forbidden, said.partition("initial task at")[2] or said):
        found.append(results.failed(f"system/{name}/words", f"it said {forbidden!r}"))
    return found


def read_only_memory(text):
    """Guest memory that the monitor may not write, so that it faults each time."""
    return text.replace('<protection_domain name="vmm"',
                        '<protection_domain name="vmm" on_fault="restart" restart_limit="2" '
                        'restart_backoff="1000"').replace(
        '<map mr="guest_ram" vaddr="0x1_0000_0000" perms="rw"',
        '<map mr="guest_ram" vaddr="0x1_0000_0000" perms="r"')


def check_monitor():
    iso = replaced_iso("restarted-monitor", {}, read_only_memory, GUEST)
    running = machine.BochsMachine(iso=iso, memory=emulator.MEMORY)
    return judge("restarted-monitor", running, [
        ("until", "(restart 1 of 2)"), ("until", "'vmm' was restarted"),
        ("until", "(restart 2 of 2)"), ("until", "'vmm' was restarted"),
        ("until", "all 2 restarts are used up"), ("until", "[witness]")])[0]


def check_acpi():
    """Without ACPI's tables no I/O APIC is known: its users are left out, the others run."""
    return check("unmet", (None, ["'pin' is not started: pin 119 of I/O APIC 0: ",
                                  "user: the peer answers"], CASES["unmet"][2]), ACPI_OFF)


def check_refused_cores():
    source = FOLDER / "missing_cores"
    folder = places.BUILD / "system-tests" / "refused_cores"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    description = folder / "refused_cores.system"
    description.write_text((source / "missing_cores.system").read_text().replace(
        "<system>", '<system missing_cpu="refuse">'))
    return check("refused-cores", (None, [
        "system: 'far' is not started: core 1: the last core here is 0\n",
        "system: 'kid' is not started: its parent 'far' is not\n",
        "system: 'farther' is not started: core 63: the last core here is 0\n",
        "system: 'driver' is not started: core 2 of interrupt 5: the last core here is 0\n",
        "system: 'messages' is not started: core 3 of interrupt 6: the last core here is 0\n",
        "near: runs"],
        "instead|was stopped|(far|farther|kid|driver|messages): runs"), description=description)


ROWS = [("refused-cores", "so they are not started, where the description says that",
         check_refused_cores),
        ("unmet-acpi", "a machine without ACPI runs what needs no interrupt", check_acpi),
        ("restarted-monitor", "a monitor that faults is rebuilt with its guest, others run on",
         check_monitor)]
ROWS += [(f"system-{name}", sentence, lambda name=name: check(name))
        for name, (sentence, _, _) in CASES.items()]
