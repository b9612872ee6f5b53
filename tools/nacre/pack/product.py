# SPDX-License-Identifier: BSD-2-Clause
"""Makes bootable ISOs out of what the build made."""

import pathlib
import tempfile

from compose import output
from compose.fields import parse_number
from compose.layout import LIMITS
from compose.short.network import CARDS
from nacre import build, packages, places
from nacre.pack import (beside, debs, initramfs, iso, programs, secure_boot,
                        system_image)
from nacre.report import Failure, step


# For a guest that drives one itself: with messages, which are all that it gets of interrupts.
ETHERNET, PASSED_CARD = "0200", "e1000e"
SELF_TESTS = ("kernel-debug.elf", "tests-kernel.elf", "tests-cores.elf", "tests-guests.elf")


def system_files(image, flavour):
    kernel = build.artefact(f"kernel-{flavour}.elf")
    return kernel, {"root.elf": build.artefact("root.elf"), "system.img": image}


def is_current(target, sources):
    """Whether the target is there and younger than everything it is made of."""
    if not target.exists():
        return False
    made = target.stat().st_mtime
    return all(source.stat().st_mtime <= made for source in sources)


def make_system(description, image, flavour):
    """Builds everything; the kernel and its modules, of which the last is the packed image."""
    packages.ensure(packages.BUILD, packages.PACK, packages.PICTURE)
    build.compile_all()
    if needs_guest_files(description):
        guest_files()
    return system_files(compose(description, image, flavour), flavour)


def self_tests():
    """What the entries for self-tests load: the kernel with checks, and a program each."""
    return {name: build.artefact(name) for name in SELF_TESTS}


def make_iso(description, target, flavour="debug", arguments="", memory_test=False, keys=None,
             self_test=False):
    """Builds everything and packs the described system; quiet when nothing changed."""
    if target.is_dir():
        raise Failure(f"{places.shown(target)}: is a folder; name the file that the ISO is to be")
    secure_boot.check(keys or ())
    system_image.check_description(description)
    named = target if output.is_replaced(target) else places.BUILD / f"{description.stem}.iso"
    beside.check(named)
    kernel, modules = make_system(description, named.with_suffix(beside.IMAGE), flavour)
    tester = debs.MEMORY_TEST.ensure() if memory_test else None
    words = f"{flavour} {arguments}{' and a memory test' if memory_test else ''}"
    if keys:
        words += f" signed with {keys[0].absolute()} and {keys[1].absolute()}"
    tests = self_tests() if self_test else {}
    words += f" {' '.join(tests)}"
    stamp = named.with_suffix(beside.WORDS)
    sources = [kernel, *modules.values(), *iso.GRUB_FOLDER.iterdir(), *(keys or ()),
               *tests.values()]
    if is_current(target, sources) and stamp.exists() and stamp.read_text() == words:
        return target
    step(f"packing {places.shown(target)}")
    with secure_boot.signer(keys) as signer:
        iso.pack_nacre(target, kernel, modules, arguments, memory_test=tester, signer=signer,
                       self_test=tests)
    output.write(stamp, words)
    return target


def needs_guest_files(description):
    """Whether it names the stock guest's kernel: that one is fetched and made on demand."""
    return description.is_file() and places.GUEST_KERNEL.name in description.read_text(
        errors="replace")


def guest_files():
    """Fetches and makes what the guest boots from."""
    debs.KERNEL.ensure()
    initramfs.ensure()


def has_guests(description):
    """Whether it describes a virtual machine."""
    return bool(programs.elements(description, "virtual_machine"))


def cores(description):
    """How many cores it names; what is wrong with a number, the composer says."""
    named = [parse_number(element.get("cpu", "0"))
             for kind in ("protection_domain", "virtual_machine", "switch", "irq")
             for element in programs.elements(description, kind) or []]
    return 1 + max((core for core in named if core is not None and core <= LIMITS.MAX_CORE),
                   default=0)


def passes_devices(description):
    """Whether a guest drives a device of the machine itself, behind an IOMMU."""
    return bool(programs.elements(description, "passthrough"))


def has_passed_card(description):
    return any(device.get("class") == ETHERNET
               for device in programs.elements(description, "passthrough") or [])


def card(description):
    """The network card that its switch has, whose driver is among its programs, or that a guest
    drives itself; None without any."""
    cards = [switch.get("card") for switch in programs.elements(description, "switch") or []]
    named = programs.named_programs(description)
    cards += [card for card, device in CARDS.items() if f"{device.program}.elf" in named]
    return next((card for card in cards if card in CARDS),
                PASSED_CARD if has_passed_card(description) else None)


def compose(description, image, flavour="debug"):
    """Compiles the programs that come as source and packs the system into one image."""
    system_image.compose(description, image, (programs.ensure(description),), flavour)
    return image


def check_board(description, board, flavour):
    """Refuses a description that names what the machine of a board file does not have."""
    packages.ensure(packages.BUILD, packages.PACK, packages.PICTURE)
    system_image.check_description(description)
    build.compile_all()
    if needs_guest_files(description):
        guest_files()
    system_image.check_board(description, board, (programs.ensure(description),), flavour)


def make_test_iso(program, target, flavour="debug", arguments="", notes=()):
    """An ISO whose initial task is a test program, a name or a file; notes name modules that only
    their name is read of."""
    known = isinstance(program, pathlib.Path)
    modules = {"root.elf": program if known else build.artefact(program)}
    with tempfile.NamedTemporaryFile() as content:
        # An empty module is none.
        content.write(b"\n")
        content.flush()
        modules.update({note: content.name for note in notes})
        iso.pack_nacre(target, build.artefact(f"kernel-{flavour}.elf"), modules, arguments)
    return target
