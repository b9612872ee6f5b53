# SPDX-License-Identifier: BSD-2-Clause
"""How many instructions from the initial task's first one until every component has run its init?

The demo without its guest, with one more component: it has the lowest priority, so it runs when all
others wait, and prints the difference of the time stamp counter, which counts instructions in QEMU
with -icount shift=0. How long the host takes to compose the whole demo is printed, too.
"""

import re
import time
import xml.etree.ElementTree

from nacre import build, packages, places
from nacre.machine import machine
from nacre.pack import product, programs, system_image
from nacre.report import Failure, step
from nacre.terminal import console

MARK = re.compile(r"\[meter\] (\d+) ticks")
EMULATORS = ("qemu",)
LIMIT = 60_000_000
COMPOSER_SECONDS = 3
FOLDER = places.BUILD / "bench-start"
METER = places.ROOT / "bench" / "start" / "meter.c"
METER_DOMAIN = """<protection_domain name="meter" program="meter.elf" priority="0">
<console/>
<map mr="meter_start" vaddr="0x2000_0000" perms="r" setvar_vaddr="start_vaddr"/>
</protection_domain>"""


def remove_guests(system):
    for guest in system.findall("virtual_machine"):
        system.remove(guest)


def add_meter(system):
    """One more component, and what it reads."""
    xml.etree.ElementTree.SubElement(
        system, "memory_region", {"name": "meter_start", "prefill_bootinfo": "nacre_start"})
    system.append(xml.etree.ElementTree.fromstring(METER_DOMAIN))


def described():
    """The description of the demo as it is measured."""
    system = xml.etree.ElementTree.parse(places.DEMO).getroot()
    remove_guests(system)
    add_meter(system)
    FOLDER.mkdir(parents=True, exist_ok=True)
    description = FOLDER / "start.system"
    xml.etree.ElementTree.ElementTree(system).write(description)
    (FOLDER / METER.name).write_bytes(METER.read_bytes())
    return description


def composer_seconds():
    """Wall time of composing the demo with its guest, report and picture."""
    product.guest_files()
    compiled = programs.ensure(places.DEMO)
    start = time.monotonic()
    system_image.compose(places.DEMO, FOLDER / "demo.img", (compiled,))
    return time.monotonic() - start


def count_instructions(image):
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / "bench-start.log"
    step(f"starting the demo without its guest in QEMU, counting instructions "
         f"({places.shown(log)})")
    with log.open("wb") as output, machine.QemuMachine(
            kernel=build.artefact("kernel-release.elf32"),
            modules=(build.artefact("root.elf"), image), clock="instructions") as running:
        why = console.Session(running, [("until", "ticks from the initial task")],
                              output=output).run()
    found = MARK.search(log.read_text(errors="replace"))
    if not found:
        raise Failure(f"start: {why or 'no count from the meter'} ({places.shown(log)})")
    return int(found.group(1))


def measure(_):
    packages.ensure(packages.BUILD, packages.PICTURE, packages.EMULATE)
    build.compile_all()
    description, image = described(), FOLDER / "start.img"
    system_image.compose(description, image,
                  (programs.ensure(description), programs.ensure(places.DEMO)), "release")
    count, seconds = count_instructions(image), composer_seconds()
    figures = [{"name": "start", "unit": "instructions", "median": count, "limit": LIMIT,
                "machine": "qemu-icount"},
               {"name": "compose", "unit": "seconds", "value": round(seconds, 2),
                "limit": COMPOSER_SECONDS}]
    return figures, (
        f"from the initial task to the last init, demo without guest: {count:,} instructions "
        f"(limit {LIMIT:,})\ncomposing the demo: {seconds:.2f} s (limit {COMPOSER_SECONDS} s)")
