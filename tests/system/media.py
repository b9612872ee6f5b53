# SPDX-License-Identifier: BSD-2-Clause
"""Media that boot a PC: an ISO written to a stick or disk, and a disk with two slots whose update
is cut off at any point."""

import functools
import pathlib
import shutil
import subprocess

from nacre import build, places
from nacre.machine import machine
from nacre.pack import disk, iso, secure_boot
from nacre.test import results
from nacre.test.machine_tests import watch

FOLDER = places.BUILD / "system-tests" / "media"
MEMORY, SECONDS = 256, 120
# GRUB takes a machine for a PC unless the table of its maker says that it is QEMU.
PC = ("-smbios", "type=1,manufacturer=Board")
# Debian's, for tests of Secure Boot in emulators (package ovmf); all know its password.
TEST_KEY = pathlib.Path("/usr/share/ovmf/PkKek-1-snakeoil.key")
COUNTING = "will be executed automatically in"
# The initial task without a system: this text comes from user mode. What is before it says which
# slot's menu was taken: the kernel names words that are no options.
STARTED = "the boot loader gave no system image"
UNKNOWN = "no such option, or not with this value: of-slot-{}"


def small_system(mark):
    return (build.artefact("kernel-debug.elf"), {"root.elf": build.artefact("root.elf")},
            f"of-slot-{mark}", None)


def boots(name, image, medium="disk", firmware="bios", mark=None, key=None):
    """Why the image does not start Nacre, with the arguments that have the mark; None if it does.
    With a key the machine is a PC, whose menu waits for one."""
    with machine.QemuMachine(iso=image, medium=medium, firmware=firmware, memory=MEMORY,
                             limit=SECONDS, extra=PC if key else ()) as running:
        texts = [*([UNKNOWN.format(mark)] if mark else []), STARTED]
        if key:
            why = watch(running, f"system-{name}-menu", [("until", COUNTING)])[0]
            if why:
                return why
            running.send(key)
        return watch(running, f"system-{name}", [("until", text) for text in texts])[0]


def judged(name, why):
    name = f"system/{name}"
    return [results.failed(name, why) if why else results.passed(name)]


def check_iso(medium, firmware):
    name = f"media-iso-{medium}-{firmware}"
    kernel, modules, *_ = small_system("")
    iso.pack_nacre(FOLDER / f"{name}.iso", kernel, modules)
    return judged(name, boots(name, FOLDER / f"{name}.iso", medium, firmware))


def new_disk(name):
    """A disk with the system `old` in slot a."""
    target = FOLDER / f"{name}.img"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"")
    disk.make(target, disk.SLOT_SIZE, *small_system("old"))
    return target


def check_disk(medium, firmware):
    """The update is tried three times, then the old system is back; a second update is kept."""
    name = f"media-disk-{medium}-{firmware}"
    image = new_disk(name)
    why = boots(name, image, medium, firmware, "old")
    disk.update(image, *small_system("new"))
    for mark in ("new", "new", "new", "old", "old"):
        why = why or boots(name, image, medium, firmware, mark)
    disk.update(image, *small_system("newer"))
    why = why or boots(name, image, medium, firmware, "newer")
    # It keeps itself, and the machine starts anew, which this one takes for its end.
    ended = boots(name, image, medium, firmware, key=b"k")
    if not why and disk.described(image) != "boots slot b":
        why = f"{disk.described(image)}, after its entry was chosen: {ended}"
    for _ in range(4):
        why = why or boots(name, image, medium, firmware, "newer")
    return judged(name, why or boots(name, image, medium, firmware, "old", key=b"o"))


def check_new_disk():
    name = "media-new-disk-uefi"
    return judged(name, boots(name, new_disk(name), "usb", "uefi", "old"))


def check_damaged():
    """The new slot has no kernel that GRUB can load: each try ends by a reset, the last in the old
    one. This machine ends at a reset."""
    name = "media-damaged"
    image = new_disk(name)
    disk.update(image, *small_system("new"))
    with disk.opened(image) as (file, found):
        start = found["slot-b"].start
        data = disk.read_at(file, start, disk.SLOT_SIZE)
        kernel = build.artefact("kernel-debug.elf").read_bytes()
        disk.put(file, start + data.index(kernel[:512]), bytes(512))
    ends = [boots(name, image) for _ in range(disk.TRIES)]
    if not all(ends):
        return judged(name, "a kernel without its first sector starts")
    return judged(name, boots(name, image, mark="old"))


class Cut(Exception):
    """The power fails."""


def cut_writes(image, most):
    """Updates the disk with no more than so many writes; the last is half of one."""
    count = 0

    def put(file, offset, data):
        nonlocal count
        count += 1
        if count == most:
            half = len(data) // disk.SECTOR // 2 * disk.SECTOR
            whole_put(file, offset, data[:half])
            raise Cut
        whole_put(file, offset, data)

    whole_put, disk.put = disk.put, put
    try:
        disk.update(image, *small_system("new"))
    except Cut:
        return False
    finally:
        disk.put = whole_put
    return True


def check_power():
    """Each number of writes, the last of them half: the old system until all is there."""
    name = "media-power"
    clean, image = new_disk(f"{name}-clean"), FOLDER / f"{name}.img"
    most, is_complete = 0, False
    while not is_complete:
        most += 1
        shutil.copyfile(clean, image)
        is_complete = cut_writes(image, most)
        # The first of the two sectors of the environment block has all that is in use, so half of
        # the last write is the whole.
        is_new = disk.described(image).startswith("boots slot b")
        why = boots(name, image, mark="new" if is_new else "old")
        if why or (is_complete and not is_new):
            return judged(name, f"after {most} writes, {disk.described(image)}: {why}")
    return judged(name, most < 5 and f"an update has {most} writes only")


def check_refused():
    name = "media-secure-boot"
    kernel, modules, *_ = small_system("")
    iso.pack_nacre(FOLDER / f"{name}.iso", kernel, modules)
    with machine.QemuMachine(iso=FOLDER / f"{name}.iso", firmware="secure", memory=MEMORY,
                             limit=SECONDS) as running:
        return judged(name, watch(running, f"system-{name}", [("until", "Access Denied")])[0])


def signed_iso(name, change=lambda data: data):
    """Signed with Debian's key for tests; `change` is what happens to the ISO's bytes then."""
    target, key = FOLDER / f"{name}.iso", FOLDER / "key.pem"
    FOLDER.mkdir(parents=True, exist_ok=True)
    subprocess.run(["openssl", "rsa", "-in", TEST_KEY.with_suffix(".key"), "-out", key,
                    "-passin", "pass:snakeoil"], stderr=subprocess.DEVNULL, check=True)
    kernel, modules, *_ = small_system("")
    with secure_boot.signer((key, TEST_KEY.with_suffix(".pem"))) as signer:
        iso.pack_nacre(target, kernel, modules, signer=signer)
    target.write_bytes(change(target.read_bytes()))
    return target


def check_signed():
    """It starts with Secure Boot; with a kernel of which one byte differs GRUB loads none."""
    name = "media-signed"
    why = boots(name, signed_iso(name), "cd", "secure")
    if why:
        return judged(name, why)
    kernel = build.artefact("kernel-debug.elf").read_bytes()
    changed = bytearray(kernel)
    changed[-1] ^= 1
    image = signed_iso(f"{name}-changed", lambda data: data.replace(kernel, bytes(changed)))
    with machine.QemuMachine(iso=image, firmware="secure", memory=MEMORY,
                             limit=SECONDS) as running:
        return judged(name, watch(running, f"system-{name}", [("until", "bad signature")])[0])


KINDS = [(medium, firmware) for firmware in ("bios", "uefi") for medium in ("disk", "usb")]
ROWS = [
    *((f"media-iso-{medium}-{firmware}",
       f"an ISO that is written to a {medium} boots from it by {firmware.upper()}",
       functools.partial(check_iso, medium, firmware)) for medium, firmware in KINDS),
    ("media-disk-disk-bios", "an update of a disk is tried three times and kept if one says so, by "
     "BIOS", functools.partial(check_disk, "disk", "bios")),
    ("media-new-disk-uefi", "a new disk boots by UEFI, from a USB stick", check_new_disk),
    ("media-damaged", "where the new slot's kernel cannot be read, the old one starts at the "
     "fourth try", check_damaged),
    ("media-secure-boot", "firmware with Secure Boot refuses an ISO that is not signed",
     check_refused),
    ("media-power", "an update that is cut off after any write, or in it, leaves a disk that boots",
     check_power),
]
# Of two minutes; with packages that nothing else needs.
ON_DEMAND = [
    ("media-disk-usb-uefi", "media-disk-disk-bios on a USB stick by UEFI",
     functools.partial(check_disk, "usb", "uefi")),
    ("media-signed", "an ISO that is signed with a key of the firmware's boots with Secure Boot, "
     "and not if the kernel was changed", check_signed),
]
