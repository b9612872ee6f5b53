# SPDX-License-Identifier: BSD-2-Clause
"""Disk images for installation: GRUB for BIOS and UEFI, and two slots with a system each.

An update writes the slot that is not in use and then, in one sector, that it is to be tried. GRUB
tries it three times; unless it is kept by then, the slot that came up last is booted again."""

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import tempfile
import uuid

from compose import fields, output
from nacre import places
from nacre.guest.partitions import ALIGNMENT, SECTOR, Partition, read, read_at, write_gpt
from nacre.pack import debs, grub, iso, product, system_image
from nacre.report import Failure, Misuse, step

MEBIBYTE = 1 << 20
# "BIOS boot partition" of GRUB's manual, the EFI system partition (UEFI 2.10, table 5.7), and one
# of Nacre's own, for slots and for the environment block.
BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649"
EFI_SYSTEM = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
NACRE = "a6c1e4d0-5a0e-4c55-9f0e-4e6163726531"
# FAT32, which UEFI has on fixed disks, begins at 33 MiB.
EFI_SIZE = 64 * MEBIBYTE
SLOT_SIZE = 64 * MEBIBYTE
LABELS = ("bios", "efi", "environment", "slot-a", "slot-b")
SLOTS = ("a", "b")
TRIES = 3
COUNTS = tuple(str(count) for count in range(1, TRIES + 1))
MODULES = ("configfile", "fat", "loadenv", "part_gpt", "reboot", "regexp", *iso.MODULES["grub.cfg"])
# GRUB's environment block; what is in use of it lies in its first sector.
BLOCK_NAME, BLOCK_SIZE, BLOCK_HEAD = "grubenv", 1024, "# GRUB Environment Block\n"
VARIABLE = re.compile(r"^(\w+)=(\w*)$", re.MULTILINE)
CHUNK = MEBIBYTE
# Where GRUB's boot sector has the core's place, and the core's own that of its rest; what makes the
# boot sector check the drive's number (boot.S, diskboot.S).
CORE_PLACE, DRIVE_CHECK, REST_PLACE = 0x5c, 0x66, 0x1f4
NOPS = b"\x90\x90"
CODE_SIZE = 440


@dataclasses.dataclass
class State:
    """The environment block: the slot that came up last, and the one to boot, with its tries."""

    good: str = "a"
    slot: str = "a"
    tries: str = "0"

    def packed(self):
        text = BLOCK_HEAD + "".join(f"{name}={value}\n" for name, value in vars(self).items())
        return text.encode().ljust(BLOCK_SIZE, b"#")


def unpacked(data):
    """As boot/grub/slots.cfg reads it."""
    text = data.decode(errors="replace")
    found = dict(VARIABLE.findall(text)) if text.startswith(BLOCK_HEAD) else {}
    good = "b" if found.get("good") == "b" else "a"
    slot, tries = found.get("slot"), found.get("tries")
    return State(good, slot if slot in SLOTS else good, tries if tries in COUNTS else "0")


def layout(slot_size):
    """The partitions, and the size of the disk."""
    found, start = [], ALIGNMENT
    for label, kind, size in zip(LABELS, (BIOS_BOOT, EFI_SYSTEM, NACRE, NACRE, NACRE),
                                 (MEBIBYTE, EFI_SIZE, MEBIBYTE, slot_size, slot_size)):
        found.append(Partition(len(found) + 1, start, size, kind, str(uuid.uuid4()), label))
        start += size
    return found, start + ALIGNMENT


def put(file, offset, data):
    file.seek(offset)
    rest = memoryview(data)
    # Without a buffer a write may be a part of what was asked.
    while rest:
        written = file.write(rest)
        if not written:
            raise Failure(f"{file.name}: nothing can be written at byte {file.tell()}")
        rest = rest[written:]


def write_bios(file, partition, folder):
    """GRUB for BIOS: the boot sector's code, and the core in its partition."""
    core_path = folder / "core.img"
    grub.make_core(core_path, grub.BIOS, ("biosdisk", "fat", "part_gpt"),
                   prefix="(,gpt2)/boot/grub")
    core = bytearray(core_path.read_bytes())
    if len(core) > partition.size:
        raise Failure(f"GRUB's core has {len(core)} bytes, more than its partition")
    first = partition.start // SECTOR
    core[REST_PLACE:REST_PLACE + 8] = (first + 1).to_bytes(8, "little")
    code = bytearray((grub.LIBRARY / grub.BIOS / "boot.img").read_bytes())
    code[CORE_PLACE:CORE_PLACE + 8] = first.to_bytes(8, "little")
    code[DRIVE_CHECK:DRIVE_CHECK + len(NOPS)] = NOPS
    put(file, partition.start, core)
    put(file, 0, code[:CODE_SIZE])


def make_efi(target, folder):
    """The EFI system partition: GRUB for UEFI, and for both the first menu and BIOS' modules."""
    place = folder / "efi" / "boot" / "grub"
    place.mkdir(parents=True)
    core = folder / "efi" / grub.UEFI_PATH
    core.parent.mkdir(parents=True)
    modules = (*MODULES, *iso.MEMORY_TEST_MODULES)
    grub.copy_modules(place, (*modules, *iso.BIOS_MODULES["grub.cfg"]))
    grub.make_core(core, grub.UEFI, (*modules, *iso.UEFI_MODULES["grub.cfg"]))
    shutil.copyfile(iso.GRUB_FOLDER / "slots.cfg", place / "grub.cfg")
    grub.make_fat(target, EFI_SIZE, folder / "efi", "-F")


def make_environment(target, folder):
    """A file system with the environment block alone: GRUB writes into files only. Nothing moves it
    in there, so that others can write it without a file system."""
    place = folder / "environment"
    place.mkdir()
    (place / BLOCK_NAME).write_bytes(State().packed())
    grub.make_fat(target, MEBIBYTE, place)


def make_slot(target, size, folder, kernel, modules, arguments, memory_test):
    """A slot: the system's files, and its menu."""
    files, text = iso.menu(kernel, modules, arguments, memory_test=memory_test,
                           give_up="give_up")
    slot = folder / "slot"
    slot.mkdir()
    for name, source in files.items():
        shutil.copyfile(source, slot / name)
    (slot / "menu.cfg").write_text(text)
    needed = sum(path.stat().st_size for path in slot.iterdir())
    if needed > size * 7 // 8:
        raise Failure(f"the system has {needed // MEBIBYTE + 1} MiB, too many for a slot of "
                      f"{size // MEBIBYTE} MiB: see --slot-size")
    grub.make_fat(target, size, slot)


def copy_in(file, offset, source):
    """The source's bytes; what is there already is not written."""
    with source.open("rb") as data:
        while chunk := data.read(CHUNK):
            if read_at(file, offset, len(chunk)) != chunk:
                put(file, offset, chunk)
            offset += len(chunk)


def make(target, slot_size, *system):
    """A new image, with the system in its first slot, in the file that is there."""
    found, size = layout(slot_size)
    bios, efi, environment, slot = found[:4]
    with tempfile.TemporaryDirectory(prefix="nacre-disk-") as directory:
        folder = pathlib.Path(directory)
        make_efi(folder / "efi.img", folder)
        make_environment(folder / "environment.img", folder)
        make_slot(folder / "slot.img", slot_size, folder, *system)
        os.truncate(target, size)
        with open(target, "r+b") as file:
            write_gpt(file, size, *found)
            write_bios(file, bios, folder)
            copy_in(file, efi.start, folder / "efi.img")
            copy_in(file, environment.start, folder / "environment.img")
            copy_in(file, slot.start, folder / "slot.img")


@contextlib.contextmanager
def opened(path):
    """(file, its partitions by label) of a disk that was made here; it may be a device."""
    try:
        file = open(path, "r+b", buffering=0)
    except FileNotFoundError as error:
        raise Failure(f"{places.shown(path)}: there is no such disk; without --update, --keep "
                      "and --show one is made") from error
    with file:
        found = {partition.label: partition
                 for partition in read(file, places.shown(path)) if partition.kind == NACRE}
        if not found.keys() >= set(LABELS[2:]):
            raise Failure(f"{places.shown(path)}: is no disk of `./nacre disk`: it lacks a "
                          "partition of Nacre's")
        yield file, found


def block_place(file, found):
    """Where the environment block is on the disk."""
    partition = found["environment"]
    data = read_at(file, partition.start, partition.size)
    for offset in range(0, len(data), SECTOR):
        if data.startswith(BLOCK_HEAD.encode(), offset):
            return partition.start + offset
    raise Failure("the disk's environment block is damaged: make the disk anew")


def state(file, found):
    return unpacked(read_at(file, block_place(file, found), BLOCK_SIZE))


def set_state(file, found, new):
    """All that matters is in the first sector, which a disk writes whole or not at all."""
    os.fsync(file.fileno())
    put(file, block_place(file, found), new.packed())
    os.fsync(file.fileno())


def write_update(file, found, source):
    """Of the slot that did not come up last; that one is booted until the new one is complete."""
    now = state(file, found)
    target = SLOTS[now.good == SLOTS[0]]
    set_state(file, found, State(now.good, now.good))
    copy_in(file, found[f"slot-{target}"].start, source)
    set_state(file, found, State(now.good, target, str(TRIES)))
    return target


def update(path, *system):
    """Writes the system into a disk beside the one that came up last; returns the slot."""
    with opened(path) as (file, found), \
            tempfile.TemporaryDirectory(prefix="nacre-disk-") as directory:
        folder = pathlib.Path(directory)
        make_slot(folder / "slot.img", found["slot-a"].size, folder, *system)
        return write_update(file, found, folder / "slot.img")


def keep(path):
    """Says of the slot that is booted now that it came up."""
    with opened(path) as (file, found):
        now = state(file, found)
        set_state(file, found, State(now.slot, now.slot))
        return now.slot


def described(path):
    """One line of what is booted next."""
    with opened(path) as (file, found):
        now = state(file, found)
    if now.slot == now.good:
        return f"boots slot {now.slot}"
    if now.tries == "0":
        return f"boots slot {now.good}: slot {now.slot} was not kept"
    return (f"boots slot {now.slot}, tries left unless it is kept: {now.tries}; then slot "
            f"{now.good}")


def slot_size(text):
    """Bytes of `64M`, whole mebibytes."""
    value = fields.parse_size(text) or 0
    if value < SLOT_SIZE or value % MEBIBYTE:
        raise Misuse(f"--slot-size {text}: a number with M or G, not below "
                     f"{SLOT_SIZE // MEBIBYTE}M")
    return value


def made_system(options):
    """What a slot is made of."""
    description = (options.system or places.DEMO).absolute()
    system_image.check_description(description)
    image = places.BUILD / "disk" / f"{description.stem}.img"
    return (*product.make_system(description, image, options.flavour), options.arguments,
            debs.MEMORY_TEST.ensure() if options.memory_test else None)


def run(options):
    """`disk`: makes, updates or tells of a disk."""
    target = options.output
    if options.show:
        print(described(target))
    elif options.keep:
        print(f"slot {keep(target)} is kept")
    elif options.update:
        with opened(target):
            pass
        slot = update(target, *made_system(options))
        print(f"slot {slot} is new: {described(target)}")
    else:
        size = slot_size(options.slot_size)
        if target.exists():
            raise Misuse(f"{places.shown(target)}: is there; --update writes a system into it, or "
                         "remove it to make another")
        system = made_system(options)
        step(f"packing {places.shown(target)}")
        with output.making(target) as made:
            make(made, size, *system)
        print(places.shown(target))
    return 0
