# SPDX-License-Identifier: BSD-2-Clause
"""How many more instructions does a stock Linux need from reset to its shell under Nacre?

The same kernel, initramfs and command line boot in Bochs three times: on the bare machine; as the
guest of the demo without its client and server, which is the figure that is limited; and as the
guest of the whole demo, whose client and server work all the time. Bochs counts one tick an
instruction. The clock is held to the wall clock, because a guest that idles at its prompt would
otherwise run millions of ticks ahead in the moment between the prompt and the stop.
"""

import xml.etree.ElementTree

from nacre import packages, places
from nacre.machine import machine
from nacre.pack import debs, initramfs, iso, product
from nacre.report import Failure, step
from nacre.terminal import console

PROMPT = "nacre-guest#"
EMULATORS = ("bochs",)
SECONDS = 900
LIMIT = 1.03
FOLDER = places.BUILD / "bench-guest-boot"
BUSY = {"client", "server"}
MEMORY = 1024


def ticks_to_prompt(image, name, ignore_bad_msrs):
    """Boots the ISO until the prompt is on COM1 and returns the ticks that Bochs counted."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / f"bench-guest-boot-{name}.log"
    step(f"booting {places.shown(image)} in Bochs ({places.shown(log)})")
    with log.open("wb") as output, machine.BochsMachine(
            iso=image, memory=MEMORY, sync="slowdown", ignore_bad_msrs=ignore_bad_msrs,
            limit=SECONDS) as running:
        why = console.Session(running, [("until", PROMPT)], output=output).run()
        if why:
            raise Failure(f"{name}: {why} ({places.shown(log)})")
        ticks = running.ticks()
    if ticks is None:
        raise Failure(f"{name}: Bochs did not report its tick count when it was stopped")
    return ticks


def bare_iso():
    """The guest's kernel without Nacre, and with the machine's own serial port as console."""
    target = places.BUILD / "bare.iso"
    iso.pack_linux(target, debs.KERNEL.ensure(), initramfs.ensure(),
                   places.GUEST_COMMAND_LINE.read_text().strip())
    return target


def described():
    """The demo without the components that do not serve the guest."""
    system = xml.etree.ElementTree.parse(places.DEMO).getroot()
    for element in list(system):
        ends = {end.get("pd") for end in element.iter("end")}
        if element.get("name") in BUSY or ends & BUSY:
            system.remove(element)
    FOLDER.mkdir(parents=True, exist_ok=True)
    description = FOLDER / "guest.system"
    xml.etree.ElementTree.ElementTree(system).write(description)
    return description


def measure(_):
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    demo = product.make_iso(places.DEMO, places.DEMO_ISO)
    guest = product.make_iso(described(), FOLDER / "guest.iso")
    # A bare Linux reads MSRs that CPUID promises and Bochs lacks; Nacre gives it no such MSR.
    bare = ticks_to_prompt(bare_iso(), "bare", 1)
    nacre = ticks_to_prompt(guest, "nacre", 0)
    busy = ticks_to_prompt(demo, "demo", 0)
    figures = {"unit": "instructions", "nacre": nacre, "bare": bare, "demo": busy,
               "ratio": round(nacre / bare, 3), "limit": LIMIT}
    return [figures], (f"guest boot, reset to shell prompt: {nacre:,} instructions under Nacre, "
                       f"{bare:,} on the bare machine, ratio {nacre / bare:.3f} (limit {LIMIT}); "
                       f"in the whole demo {busy:,}, ratio {busy / bare:.3f}")
