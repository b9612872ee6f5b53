# SPDX-License-Identifier: BSD-2-Clause
"""How many more instructions does a stock Linux need from reset to its shell under Nacre?

The same kernel, initramfs and command line boot in Bochs twice: as the guest of the demo, and
alone on the bare machine. Bochs counts one tick an instruction. The clock is held to the wall
clock, because a guest that idles at its prompt would otherwise run millions of ticks ahead in
the moment between the prompt and the stop.
"""


from nacre import packages, places
from nacre.machine import machine
from nacre.pack import debs, initramfs, iso, product
from nacre.report import Failure, step
from nacre.terminal import console

PROMPT = "nacre-guest#"
EMULATORS = ("bochs",)
SECONDS = 900
LIMIT = 1.5
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


def measure(_):
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    image = product.make_iso(places.DEMO, places.DEMO_ISO)
    # A bare Linux reads MSRs that CPUID announces and Bochs lacks; under Nacre none is allowed.
    bare = ticks_to_prompt(bare_iso(), "bare", 1)
    nacre = ticks_to_prompt(image, "nacre", 0)
    figures = {"unit": "instructions", "nacre": nacre, "bare": bare,
               "ratio": round(nacre / bare, 3), "limit": LIMIT}
    return [figures], (f"guest boot, reset to shell prompt: {nacre:,} instructions under Nacre, "
                       f"{bare:,} on the bare machine, ratio {nacre / bare:.2f} (limit {LIMIT})")
