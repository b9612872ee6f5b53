# SPDX-License-Identifier: BSD-2-Clause
"""How many more instructions does a stock Linux need until its shell under Nacre?

The same kernel, initramfs and command line boot four times: on the bare machine; as the guest of
the demo without its client and server, with the debug kernel that `./nacre run` boots, which is the
figure that is limited, and with the release kernel; and as the guest of the whole demo, whose
client and server work all the time.

By VT-x in Bochs, from reset: Bochs counts one tick an instruction. The clock is held to the wall
clock, because a guest that idles at its prompt would otherwise run millions of ticks ahead in the
moment between the prompt and the stop. By AMD-V in QEMU, from the first instruction of the kernel's
64-bit entry, counted by tools/plugin, the bare machine of the same CPU and with as much memory as
the guest has.
"""

import signal
import xml.etree.ElementTree

from nacre import build, packages, places
from nacre.machine import machine
from nacre.pack import debs, initramfs, iso, product
from nacre.report import Failure, step
from nacre.terminal import console

PROMPT = "nacre-guest#"
EMULATORS = ("bochs", "qemu")
SECONDS = 900
# From reset the loading of the larger ISO counts, too, and is less than what the bare machine's
# devices cost.
LIMITS = {"bochs": 1.03, "qemu": 1.05}
FOLDER = places.BUILD / "bench-guest-boot"
BUSY = {"client", "server"}
MEMORY = 1024
GUEST_MEMORY = 256
CPU = "max"
# Where the kernel's 64-bit entry is (Linux, Documentation/arch/x86/boot.rst, 64-bit boot protocol):
# 0x200 behind the place where it was loaded, by QEMU and by the monitor.
BARE_ENTRY, GUEST_ENTRY = 0x100200, 0x1000200


def run_to_prompt(running, name):
    """Lets the machine run until the prompt is on COM1."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / f"bench-guest-boot-{name}.log"
    step(f"booting {name} in {running.name} ({places.shown(log)})")
    with log.open("wb") as output:
        why = console.Session(running, [("until", PROMPT)], output=output).run()
    if why:
        raise Failure(f"{name}: {why} ({places.shown(log)})")


def ticks_to_prompt(image, name, ignore_bad_msrs):
    """The ticks that Bochs counted from reset to the prompt."""
    with machine.BochsMachine(iso=image, memory=MEMORY, sync="slowdown", limit=SECONDS,
                              ignore_bad_msrs=ignore_bad_msrs) as running:
        run_to_prompt(running, f"bochs-{name}")
        ticks = running.ticks()
    if ticks is None:
        raise Failure(f"{name}: Bochs did not report its tick count when it was stopped")
    return ticks


def instructions_to_prompt(name, entry, **settings):
    """The instructions that the plugin counted from the kernel's entry to the prompt."""
    counted = places.LOGS / f"bench-guest-boot-{name}.counted"
    counted.unlink(missing_ok=True)
    words = [str(build.artefact("total.so")), f"from={entry:#x}", f"out={counted}"]
    plugin = ",".join(word.replace(",", ",,") for word in words)
    with machine.QemuMachine(cpu=CPU, clock="emulated", limit=SECONDS, extra=("-plugin", plugin),
                             **settings) as running:
        run_to_prompt(running, f"qemu-{name}")
        running.signal(signal.SIGTERM)
        running.wait()
    text = counted.read_text() if counted.exists() else ""
    if not text.strip():
        raise Failure(f"{name}: no instruction at the kernel's entry {entry:#x} was counted")
    return int(text)


def in_bochs(isos):
    # A bare Linux reads MSRs that CPUID promises and Bochs lacks; Nacre gives it no such MSR.
    return {"bare": ticks_to_prompt(bare_iso(), "bare", 1),
            **{name: ticks_to_prompt(image, name, 0) for name, image in isos.items()}}


def in_qemu(isos):
    bare = instructions_to_prompt(
        "bare", BARE_ENTRY, kernel=debs.KERNEL.ensure(), modules=(initramfs.ensure(),),
        arguments=places.GUEST_COMMAND_LINE.read_text().strip(), memory=GUEST_MEMORY)
    return {"bare": bare, **{name: instructions_to_prompt(name, GUEST_ENTRY, iso=image,
                                                          memory=MEMORY)
                             for name, image in isos.items()}}


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


def measured(name, isos):
    """(figure, sentence) of one emulator."""
    counts = {"bochs": in_bochs, "qemu": in_qemu}[name](isos)
    bare, limit = counts["bare"], LIMITS[name]
    ratios = {which: round(count / bare, 3) for which, count in counts.items()}
    figure = {"name": name, "unit": "instructions", "median": counts["nacre"],
              "ratio": ratios["nacre"], "limit": limit, **counts}
    return figure, (f"{name}: guest boot to the shell's prompt: {counts['nacre']:,} instructions "
                    f"under Nacre, {bare:,} on the bare machine, ratio {ratios['nacre']:.3f} "
                    f"(limit {limit}); release kernel {ratios['release']:.3f}; in the whole demo "
                    f"{ratios['demo']:.3f}")


def measure(options):
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    description = described()
    isos = {"nacre": product.make_iso(description, FOLDER / "guest.iso"),
            "release": product.make_iso(description, FOLDER / "guest-release.iso", "release"),
            "demo": product.make_iso(places.DEMO, places.DEMO_ISO)}
    names = [options.emulator] if options.emulator else EMULATORS
    found = [measured(name, isos) for name in names]
    return [figure for figure, _ in found], "\n".join(sentence for _, sentence in found)
