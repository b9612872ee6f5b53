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


def machine_disks(description):
    """Fields of Disks for guests whose disk has a driver: the image that they boot from. A driver
    of guests with different images is left out: which of them its disk is, the user says."""
    images = {}
    for guest in guests(description):
        image = found(description, guest.get("boot"))
        for disk in guest.findall("disk"):
            field = disks.KIND_OF_DRIVER.get(disk.get("driver"))
            if image and field:
                images.setdefault(field, set()).add(image)
    return {field: of_driver.pop() for field, of_driver in images.items() if len(of_driver) == 1}


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
