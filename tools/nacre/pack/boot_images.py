# SPDX-License-Identifier: BSD-2-Clause
"""Disk images that a description names by boot=: their kernel and RAM disk for the composer, and
themselves as disks of the machine."""

import hashlib

from nacre import places
from nacre.guest import boot_files
from nacre.machine import disks
from nacre.pack import programs


def found(description, name):
    """The image beside the description, or among the guests' files; None if it is nowhere."""
    return next((folder / name for folder in (description.parent, places.GUEST)
                 if (folder / name).is_file()), None)


def guests(description):
    """The elements of the guests that boot from an image."""
    return [guest for guest in programs.elements(description, "virtual_machine") or []
            if guest.get("boot")]


def advice(description):
    """How to come by the images that are nowhere, a line each."""
    missing = sorted(name for name in {guest.get("boot") for guest in guests(description)}
                     if not found(description, name))
    return [f"{name}: `./nacre guest debian` makes it" if name == places.GUEST_DEBIAN.name else
            f"{name}: `./nacre guest debian -o {places.shown(places.GUEST / name)}` makes one; or "
            "put your own beside the description"
            for name in missing]


def kinds(guest):
    """Of the machine's disks that a guest has, behind a driver or to drive itself."""
    found = [disks.KIND_OF_DRIVER.get(disk.get("driver")) for disk in guest.findall("disk")]
    found += [disks.KIND_OF_CLASS.get(device.get("class")) for device in
              guest.findall("passthrough")]
    return [kind for kind in found if kind]


def machine_disks(description):
    """Fields of Disks for guests with a disk of the machine: the image that they boot from. A kind
    of guests with different images is left out: which of them its disk is, the user says."""
    images = {}
    for guest in guests(description):
        image = found(description, guest.get("boot"))
        for kind in kinds(guest) if image else ():
            images.setdefault(kind, set()).add(image)
    return {kind: of_kind.pop() for kind, of_kind in images.items() if len(of_kind) == 1}


def words(description):
    """The composer's options for each image; what is not there, it complains of."""
    for name in sorted({guest.get("boot") for guest in guests(description)}):
        image = found(description, name)
        if image is None:
            continue
        mark = hashlib.sha256(str(image.absolute()).encode()).hexdigest()[:8]
        kernel, initrd, root = boot_files.extract(
            image, places.BUILD / "boot" / f"{image.stem}-{mark}")
        yield from ("--boot-files", name, kernel, initrd or "", root)
