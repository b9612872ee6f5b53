# SPDX-License-Identifier: BSD-2-Clause
"""Memory maps with holes, as firmware of real machines has them: the system starts all the same."""

import functools
import re
import subprocess

from nacre import places
from nacre.machine import emulator, machine
from nacre.pack import iso, product
from nacre.test import results
from nacre.test.system_tests import demo_iso, judge

FOLDER = places.BUILD / "system-tests" / "memory"
CLIENT = "[client]"
PAGE = 0x1000
FIRST_HOLE = 0x4000000
APART = 0x101000
LOST = re.compile(r"untyped blocks are dropped, with (\d+) KiB of RAM")
# Holes -> KiB of RAM that the list of untypeds has no room for, at most. Debian 13's OVMF leaves
# memory in so many pieces that ten holes more are beyond it, by small pieces.
MOST_LOST = {0: 0, 10: 64, 100: 40 << 10, 150: 95 << 10, 300: 230 << 10}
HOLES = {"bios": (0, 10, 100, 300), "uefi": (0, 10, 100, 150, 300)}
# The most by UEFI that GRUB surely survives from this version on: it asks the firmware for memory
# after having left it. Between 200 and 300 the sizes of the files decide.
GRUB_FAULT, GRUB_MOST = (2, 12), 150


def holes(count):
    """GRUB commands that take single pages out of RAM."""
    starts = (FIRST_HOLE + i * APART for i in range(count))
    return "\n".join(f"cutmem {start:#x} {start + PAGE:#x}" for start in starts)


def iso_with(name, prelude="", extra=(), arguments=""):
    demo_iso()
    kernel, modules = product.system_files(places.DEMO_ISO.with_suffix(".img"), "debug")
    modules = modules | {module: modules["root.elf"] for module in extra}
    target = FOLDER / f"{name}.iso"
    iso.pack_nacre(target, kernel, modules, arguments, prelude)
    return target


def boot(name, image, steps, firmware="bios"):
    running = machine.QemuMachine(iso=image, memory=emulator.MEMORY, firmware=firmware,
                                  clock="emulated")
    return judge(name, running, steps)


def grub_version():
    said = subprocess.run(["grub-mkimage", "--version"], stdout=subprocess.PIPE, text=True,
                          check=True)
    return tuple(map(int, re.search(r"(\d+)\.(\d+)", said.stdout).groups()))


def check_holes(count, firmware):
    name = f"memory-{count}-holes-{firmware}"
    if firmware == "uefi" and count > GRUB_MOST and grub_version() >= GRUB_FAULT:
        return [results.skipped(f"system/{name}", "this GRUB fails with so many of its cutmem")]
    found, text = boot(name, iso_with(name, holes(count)),
                       [("until", "no VT-x"), ("until", CLIENT), ("until", CLIENT)], firmware)
    lost = sum(int(size) for size in LOST.findall(text))
    if found[0].outcome == results.PASSED and lost > MOST_LOST[count]:
        return [results.failed(f"system/{name}", f"{count} holes lose {lost} KiB of RAM")]
    return found


def check_modules():
    name = "memory-modules"
    image = iso_with(name, extra=[f"more{i}" for i in range(17)])
    return boot(name, image, [("until", "the last 3 modules are not used: "),
                              ("until", CLIENT)])[0]


def check_command_line():
    """Options at the end of a long line count; words that are none are named."""
    name = "memory-command-line"
    line = " ".join(["log=all"] * 450 + ["quiet", "kpti=on"])
    return boot(name, iso_with(name, arguments=line),
                [("until", "no such option, or not with this value: quiet"),
                 ("until", "mitigations: kpti"), ("until", CLIENT)])[0]


ROWS = [(f"memory-{count}-holes-{firmware}",
         f"{count} holes in RAM, by {firmware.upper()}: all modules are found, components run, the "
         "lack of VT-x is reported",
         functools.partial(check_holes, count, firmware))
        for firmware, counts in HOLES.items() for count in counts]
ROWS += [
    ("memory-modules", "modules beyond the sixteenth are counted in a line", check_modules),
    ("memory-command-line", "a command line of 4 KiB is read to its end", check_command_line),
]
