# SPDX-License-Identifier: BSD-2-Clause
"""The timer driver: on a machine without HPET, and with as many clients as it can have."""

import re
import shutil

from nacre import build, places
from nacre.machine import emulator, machine
from nacre.pack import product, system_image
from nacre.test import results
from nacre.test.system_tests import judge

FOLDER = places.BUILD / "system-tests" / "timers"
SLEEPER = places.ROOT / "tests" / "system" / "systems" / "timer_many" / "sleeper.c"
WITHOUT_HPET = ("-machine", "pc,hpet=off")
# Channels 0 (the console's) and 1 (the interrupt's) are not for clients.
CLIENTS = range(2, 62)
DRIVER = """
    <memory_region name="hpet" size="0x1000" phys_addr="0xfed00000"/>
    <memory_region name="tsc_info" prefill_bootinfo="x86_tsc_freq"/>
    <protection_domain name="timer" priority="250">
        <program_image path="timer.elf"/>
        <map mr="hpet" vaddr="0x2000_0000" perms="rw" cached="false" setvar_vaddr="hpet_vaddr"/>
        <map mr="tsc_info" vaddr="0x2010_0000" perms="r" setvar_vaddr="tsc_info_vaddr"/>
        <irq id="1" pin="2" trigger="edge" polarity="high" vector="2"/>
        <ioport id="0" addr="0x70" size="2"/>
        <ioport id="1" addr="0x40" size="4"/>
    </protection_domain>
"""


def boot(name, description, extra=()):
    FOLDER.mkdir(parents=True, exist_ok=True)
    image = product.compose(description, FOLDER / f"{name}.img")
    return machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"),
        modules=(build.artefact("root.elf"), image), memory=emulator.MEMORY,
        clock="instructions", extra=extra)


def check_without_hpet():
    description = places.ROOT / "examples" / "timer" / "timer.system"
    found, text = judge("timer-pit", boot("timer-pit", description, WITHOUT_HPET), [
        ("until", "timer: no usable HPET; using the PIT"), ("until", "sleeper: done")])
    if "too early" in text:
        found.append(results.failed("system/timer-pit/early", "a time-out came too early"))
    return found


def without_ports(text):
    return re.sub(r'<ioport id="1" [^>]*>', "", text)


def check_without_device():
    folder = FOLDER / "none"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(places.ROOT / "examples" / "timer", folder)
    description = folder / "timer.system"
    system_image.expand(description, description)
    description.write_text(without_ports(description.read_text()))
    return judge("timer-none", boot("timer-none", description, WITHOUT_HPET), [
        ("until", "timer: no usable HPET or PIT"), ("until", "sleeper: the timer refused")])[0]


def many_clients():
    domains = "".join(
        f'<protection_domain name="c{number}" priority="100">'
        '<program_image path="sleeper.elf"/></protection_domain>\n'
        f'<channel><end pd="c{number}" id="1" pp="true" notify="false"/>'
        f'<end pd="timer" id="{number}"/></channel>\n' for number in CLIENTS)
    return f"<system>{DRIVER}{domains}</system>\n"


def check_many(name, extra):
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(SLEEPER, folder)
    description = folder / f"{name}.system"
    description.write_text(many_clients())
    # The one that sleeps longest is the last to say so.
    found, text = judge(name, boot(name, description, extra),
                        [("until", f"c{max(CLIENTS)}: slept")])
    slept = set(re.findall(r"^c(\d+): slept", text, re.MULTILINE))
    if len(slept) != len(CLIENTS):
        found.append(results.failed(f"system/{name}/all", f"{len(slept)} clients slept"))
    if re.search("early|refused|wrong", text.partition("initial task at")[2]):
        found.append(results.failed(f"system/{name}/words", "a client complains"))
    return found


ROWS = [
    ("timer-pit", "without HPET the timer driver takes the PIT", check_without_hpet),
    ("timer-none", "without HPET and PIT the timer driver says so and refuses",
     check_without_device),
    ("timer-many", "sixty clients of the timer driver sleep as long as they asked for",
     lambda: check_many("timer-many", ())),
    ("timer-many-pit", "so they do on a machine without HPET",
     lambda: check_many("timer-many-pit", WITHOUT_HPET)),
]
