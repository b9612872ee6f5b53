# SPDX-License-Identifier: BSD-2-Clause
"""What GRUB shows of an ISO: its menu on a PC, nothing but one line in an emulator."""

import functools
import re
import time

from nacre import build, places, version
from nacre.machine import machine, monitor, screen
from nacre.pack import debs, iso, product
from nacre.test import broken, planted, results
from nacre.test.machine_tests import watch

FOLDER = places.BUILD / "system-tests" / "menu"
MEMORY, TEST_MEMORY = 256, 512
# GRUB takes a machine for a PC unless the table of its maker says that it is QEMU.
PC = ("-smbios", "type=1,manufacturer=Board")
NAME = f"Nacre {version.number()}"
ENTRIES = [NAME, f"{NAME}, safe: one core, all mitigations, no guests, nothing fast",
           f"{NAME}, the kernel's messages on COM2",
           f"{NAME}, the kernel's messages on the serial line only",
           f"{NAME}, hardware report and all self-tests, starts nothing"]
SETTINGS = "Settings of the firmware"
STARTS = "Nacre starts. If no more comes here, it prints on COM1 only (115200 baud)."
# The menu is complete when GRUB counts down.
COUNTING = "will be executed automatically in"
# The initial task without a system: this text comes from user mode.
STARTED = "the boot loader gave no system image"
ESCAPE = re.compile(r"\x1b\[[0-9;=?]*[A-Za-z]")
FRAMED = re.compile(r"\*?\s?(.*?)\s*")
KEY_SECONDS = 30
# The memory test's background covers the screen; of its points these are looked at.
BLUE_SHARE, SAMPLE, TEST_SECONDS = 0.5, 101, 90


def small_iso(name, **more):
    """The kernel with an initial task that has no system."""
    target = FOLDER / f"{name}.iso"
    iso.pack_nacre(target, build.artefact("kernel-debug.elf"),
                   {"root.elf": build.artefact("root.elf")}, **more)
    return target


def start(name, firmware="bios", extra=PC, memory=MEMORY, **more):
    return machine.QemuMachine(iso=small_iso(name, **more), memory=memory, firmware=firmware,
                               extra=(*monitor.OPTIONS, *extra), cores=2)


def entries(lines):
    """The menu's entries, of lines like `│*Nacre         │`."""
    found = [line.strip()[1:-1] for line in lines if line.strip()[:1] in ("│", "|")]
    return [text for line in found if (text := FRAMED.fullmatch(line)[1])]


def shown(text):
    """Lines of what a program drew on a terminal line by line."""
    return re.split(r"[\r\n]+|\0", re.sub(ESCAPE, "\0", text))


def check_self_test(key, program, test, function=None):
    """This test of the program alone; with a function of the kernel broken it must fail."""
    name = f"menu-self-test-{test}{'-broken' if function else ''}"
    tests = product.self_tests()
    files = {**tests, program: broken.with_bytes(
        tests[program], FOLDER / f"{name}-{program}",
        tests[program].read_bytes().index(planted.CHOSEN + bytes(len(test) + 2)) +
        len(planted.CHOSEN),
        f" {test}".encode())}
    if function:
        kernel = "kernel-debug.elf"
        files[kernel] = broken.with_bytes(
            tests[kernel], FOLDER / f"{name}.elf",
            broken.function_offset(tests[kernel], function), broken.RETURN)
    result = f"failed: {test}\n0 passed, 1 failed" if function else "1 passed, 0 failed"
    with start(name, memory=TEST_MEMORY, self_test=files) as running:
        why, _, _ = watch(running, f"system-{name}-menu", [("until", COUNTING)])
        running.send(key.encode())
        return judged(name, why or watch(running, f"system-{name}", [
            ("until", text) for text in (*result.split("\n"), "tests done")])[0])


def judged(name, *complaints):
    """One result of the first complaint that is none, or a good one."""
    why = next(filter(None, complaints), None)
    name = f"system/{name}"
    return [results.failed(name, why) if why else results.passed(name)]


def differs(what, found, expected):
    return None if found == expected else f"{what}: {found} instead of {expected}"


def first_line(running):
    """Of a screen of points."""
    monitor.tell(running, "screendump picture")
    return next(filter(None, screen.lines(running.directory / "picture")), "")


def check_bios():
    """The safe entry is chosen on the serial line, by its key."""
    name = "menu-bios"
    with start(name) as running:
        why, _, _ = watch(running, f"system-{name}-menu", [("until", COUNTING)])
        if why:
            return judged(name, why)
        found = entries(monitor.screen_text(running))
        running.send(b"s")
        why, text, _ = watch(running, f"system-{name}", [
            ("until", word) for word in ("mitigations: kpti", "itlb-multihit", "cores: 1 of 2,",
                                         STARTED)])
        if why:
            return judged(name, why)
        first = first_line(running)
        return judged(name, differs("the menu", found, ENTRIES),
                      "no such option" in text and "an option is unknown",
                      differs("the screen", first, f"{NAME}, debug build"))


def check_uefi():
    """By UEFI the screen is a picture; the firmware draws the same on the serial line."""
    name = "menu-uefi"
    com2 = FOLDER / "com2.txt"
    com2.parent.mkdir(parents=True, exist_ok=True)
    with start(name, "uefi", (*PC, "-serial", f"file:{com2}")) as running:
        why, text, _ = watch(running, f"system-{name}-menu", [("until", COUNTING)])
        if why:
            return judged(name, why)
        lines = shown(text)
        missing = [entry for entry in (*ENTRIES, SETTINGS)
                   if entry not in (line.strip(" *") for line in lines)]
        running.send(b"2")
        why, more, _ = watch(running, f"system-{name}", [("until", STARTS)])
        limit = time.monotonic() + KEY_SECONDS
        while STARTED not in com2.read_text(errors="replace") and time.monotonic() < limit:
            time.sleep(0.2)
        said = com2.read_text(errors="replace")
        return judged(name, why, differs("entries that are not in the menu", missing, []),
                      "error" in text + more and "GRUB prints an error",
                      STARTED not in said and f"COM2 has {said[-200:]!r}")


def check_emulator():
    """No error, and no menu that would wait."""
    name = "menu-emulator"
    with start(name, extra=()) as running:
        why, text, _ = watch(running, f"system-{name}", [("until", STARTED)])
        if why:
            return judged(name, why)
        first = first_line(running)
        return judged(name, differs("the screen", first, f"{NAME}, debug build"),
                      differs("before the kernel", text.partition("Nacre")[0].strip(), ""))


def check_escape():
    """Escape is pressed as a person would who wants the menu: again and again."""
    name = "menu-escape"
    with start(name, extra=("-S",)) as running:
        monitor.tell(running, "cont")
        limit = time.monotonic() + KEY_SECONDS
        found = []
        while found != ENTRIES and time.monotonic() < limit:
            monitor.tell(running, "sendkey esc 20")
            found = entries(monitor.screen_text(running))
        return judged(name, differs("the menu", found, ENTRIES))


def check_module():
    """Of a system that lacks a file nothing is started."""
    name = "menu-module"
    root = build.artefact("root.elf")
    files, text = iso.menu(build.artefact("kernel-debug.elf"), {"root.elf": root, "lost": root},
                           prelude=iso.PLACE)
    del files["lost"]
    target = FOLDER / f"{name}.iso"
    iso.pack(target, "grub.cfg", files, text)
    with machine.QemuMachine(iso=target, memory=MEMORY, firmware="bios",
                             extra=(*monitor.OPTIONS, *PC), cores=2) as running:
        why, _, _ = watch(running, f"system-{name}-menu", [("until", COUNTING)])
        running.send(b"n")
        if not why:
            why, _, _ = watch(running, f"system-{name}-lost", [
                ("until", "lost' not found"), ("until", "Press any key")])
        running.send(b" ")
        if not why:
            why, _, _ = watch(running, f"system-{name}", [("until", "safe: one core")])
        return judged(name, why)


def blue_share(points):
    found = points[::SAMPLE]
    return sum(red == green == 0 and blue > 128 for red, green, blue in found) / len(found)


def check_memory_test(firmware):
    name = f"menu-memory-test-{firmware}"
    with start(name, firmware, memory_test=debs.MEMORY_TEST.ensure()) as running:
        why, _, _ = watch(running, f"system-{name}", [("until", COUNTING)])
        running.send(b"m")
        limit = time.monotonic() + TEST_SECONDS
        share = 0
        while not why and share < BLUE_SHARE and time.monotonic() < limit:
            time.sleep(1)
            share = blue_share(monitor.screen_points(running))
        return judged(name, why, share < BLUE_SHARE and f"{share:.0%} of the screen is blue")


ROWS = [
    ("menu-bios", "by BIOS a PC shows the menu and no error; its safe entry has one core and all "
     "mitigations", check_bios),
    ("menu-uefi", "so it does by UEFI; the entry for COM2 prints there", check_uefi),
    ("menu-emulator", "an emulator starts Nacre at once, and nothing else is on the screen",
     check_emulator),
    ("menu-module", "a system that lacks a file is not started; the menu comes back", check_module),
    ("menu-self-test", "the self-test of the kernel runs, and says that all is well",
     functools.partial(check_self_test, "t", "tests-kernel.elf", "fpu-threads")),
    ("menu-self-test-cores", "so does that of several cores",
     functools.partial(check_self_test, "x", "tests-cores.elf", "cores-suspend")),
    ("menu-self-test-broken", "with a fault in the kernel it names the test",
     functools.partial(check_self_test, "t", "tests-kernel.elf", "fpu-threads", "fpu_give")),
    ("menu-escape", "unless Escape is pressed, which shows the menu", check_escape),
]
ON_DEMAND = [
    (f"menu-memory-test-{firmware}", f"by {firmware.upper()} the memory test draws its screen",
     functools.partial(check_memory_test, firmware)) for firmware in ("bios", "uefi")]
