# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's console on the screens of PCs, read by the font in use; with and without a serial
port."""

import functools
import time

from nacre import build, places
from nacre.machine import machine, monitor, screen
from nacre.pack import iso
from nacre.test import broken, results
from nacre.test.machine_tests import watch

FOLDER = places.BUILD / "system-tests" / "screen"
MEMORY = 256
SECONDS = 60
FIRST = "Nacre "
# The initial task without a system: this text comes from user mode.
STARTED = "the boot loader gave no system image"
SCREENS = {
    "std": (),
    "cirrus": ("-vga", "cirrus"),
    "virtio": ("-vga", "none", "-device", "virtio-vga"),
    "bochs": ("-vga", "none", "-device", "bochs-display"),
    "ramfb": ("-vga", "none", "-device", "ramfb"),
}
# A function that begins, or is called, at this step of start-up.
STEPS = {"features_init": "the CPU's features, mitigations",
         "apic_init": "ACPI tables, page tables, interrupt controllers",
         "fpu_init": "clock, IOMMU, FPU, guests"}
# With which firmware each test run has them; the others run when they are named.
USUAL = {("std", "bios"), ("std", "uefi"), ("cirrus", "bios"), ("bochs", "uefi"),
         ("ramfb", "uefi"), ("virtio", "bios")}
# COM1 is not where the kernel looks for it.
NO_SERIAL = ("-global", "isa-serial.iobase=0x3e8")
NO_SCREEN = ("-vga", "none")
# A machine check that no program can have made: the kernel ends.
PANIC = "mce 0 0 0xbe00000000000000 0x4 0x0 0x0"


def start(name, firmware, extra, arguments="", prelude="", kernel=None):
    target = FOLDER / f"{name}.iso"
    iso.pack_nacre(target, kernel or build.artefact("kernel-debug.elf"),
                   {"root.elf": build.artefact("root.elf")}, arguments, prelude)
    return machine.QemuMachine(iso=target, memory=MEMORY, firmware=firmware, limit=SECONDS,
                               extra=(*monitor.OPTIONS, *extra))


def points_text(running):
    monitor.tell(running, "screendump picture")
    return screen.lines(running.directory / "picture")


def port_text(running):
    """What the debug kernel wrote to port E9h as well."""
    text = (running.directory / "e9.log").read_text(errors="replace")
    return [line.rstrip() for line in text.splitlines()]


def awaited(running, read, text):
    """What was read when the text was in a line of it, or at last."""
    limit = time.monotonic() + SECONDS
    lines = []
    while not any(text in line for line in lines) and time.monotonic() < limit:
        time.sleep(0.3)
        lines = read(running)
    return lines


def judged(name, *texts, lines):
    """The texts are in lines of their own, in this order."""
    rest = iter(lines)
    lost = [text for text in texts if not any(text in line for line in rest)]
    name = f"system/{name}"
    return [results.failed(name, f"{lost} are not on the screen: {lines}") if lost
            else results.passed(name)]


def check_points(device, firmware):
    """All of the log, and what the kernel prints at its end; the serial line has the same."""
    name = f"screen-{device}-{firmware}"
    with start(name, firmware, (*SCREENS[device], *NO_SERIAL)) as running:
        lines = awaited(running, points_text, STARTED)
        if any(STARTED in line for line in lines):
            monitor.tell(running, PANIC)
            lines = awaited(running, points_text, "kernel panic: ")
        said = "".join(port_text(running))
        if "".join(lines) != said:
            return [results.failed(f"system/{name}", f"{lines} instead of {said!r}")]
        return judged(name, FIRST, "screen: ", STARTED, "kernel panic: ", lines=lines)


def check_text():
    name = "screen-text"
    with start(name, "bios", NO_SERIAL, prelude="set screen=text") as running:
        return judged(name, "screen: 80 x 25 characters at b8000", STARTED,
                      lines=awaited(running, monitor.screen_text, STARTED))


def check_none(firmware):
    name = f"screen-none-{firmware}"
    with start(name, firmware, (*NO_SCREEN, *NO_SERIAL)) as running:
        lines = awaited(running, port_text, STARTED)
        if any("screen: " in line for line in lines):
            return [results.failed(f"system/{name}", f"there is a screen: {lines}")]
        return judged(name, FIRST, STARTED, lines=lines)


def check_serial_only():
    name = "screen-serial-only"
    with start(name, "bios", (), "console=serial") as running:
        why, _, log = watch(running, f"system-{name}", [("until", STARTED)])
        shown = [] if why else [line for line in points_text(running) if line]
        if why or shown:
            return [results.failed(f"system/{name}", why or f"the screen has {shown}", log)]
        return [results.passed(f"system/{name}")]


def check_screen_only():
    """The kernel leaves COM1 alone."""
    name = "screen-only"
    with start(name, "bios", (), "console=screen") as running:
        lines = awaited(running, points_text, STARTED)
        monitor.tell(running, "quit")
        if STARTED.encode() in b"".join(iter(running.receive, b"")):
            return [results.failed(f"system/{name}", "the serial line has the log, too")]
        return judged(name, FIRST, STARTED, lines=lines)


def check_exception(symbol, step):
    """Registers, and where it was."""
    name = f"screen-exception-{symbol}"
    kernel = build.artefact("kernel-debug.elf")
    kernel = broken.with_bytes(kernel, FOLDER / f"{name}.elf",
                               broken.function_offset(kernel, symbol), broken.UNDEFINED)
    with start(name, "bios", NO_SERIAL, kernel=kernel) as running:
        lines = awaited(running, points_text, "called from")
        return judged(name, "registers of the kernel:", "  r15 ", " rip ffffffff80",
                      f"kernel panic: exception 6, code 0, in the kernel, at start-up: {step}",
                      lines=lines)


def check_missing():
    name = "screen-missing"
    with start(name, "bios", ("-cpu", "qemu64", *NO_SERIAL)) as running:
        return judged(name, 'cpu: Nacre needs the CPU feature "xsave", which is missing',
                      "boot: nothing to run, stopped",
                      lines=awaited(running, points_text, "nothing to run"))


def check_reboot():
    """A machine that starts anew ends here."""
    name = "screen-reboot"
    with start(name, "bios", (), "panic=reboot") as running:
        why, _, _ = watch(running, f"system-{name}", [("until", STARTED)])
        if not why:
            monitor.tell(running, PANIC)
            why, _, _ = watch(running, f"system-{name}-panic", [("until", "never said")])
            why = None if "switched off" in why else why
        return [results.failed(f"system/{name}", why) if why
                else results.passed(f"system/{name}")]


POINTS = [((device, firmware),
           (f"screen-{device}-{firmware}",
            f"the log and a panic are on the screen of QEMU's {device} by {firmware.upper()}, "
            "without a serial port", functools.partial(check_points, device, firmware)))
          for device in SCREENS for firmware in ("bios", "uefi")]
ROWS = [
    *(row for combination, row in POINTS if combination in USUAL),
    ("screen-text", "the log is on a screen in text mode", check_text),
    ("screen-none-bios", "without screen and serial port Nacre starts", functools.partial(
        check_none, "bios")),
    ("screen-none-uefi", "so it does by UEFI", functools.partial(check_none, "uefi")),
    *((f"screen-exception-{symbol}",
       f"an exception at this step of start-up is on the screen: {step}",
       functools.partial(check_exception, symbol, step)) for symbol, step in STEPS.items()),
    ("screen-missing", "so is what the CPU lacks", check_missing),
    ("screen-reboot", "after a panic the machine starts anew if asked to", check_reboot),
    ("screen-serial-only", "console=serial leaves the screen empty", check_serial_only),
    ("screen-only", "console=screen leaves the serial port alone", check_screen_only),
]
ON_DEMAND = [row for combination, row in POINTS if combination not in USUAL]
