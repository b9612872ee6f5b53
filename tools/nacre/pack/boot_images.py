# SPDX-License-Identifier: BSD-2-Clause
"""Kernel and RAM disk of disk images that a description names by boot=, for the composer."""

import hashlib

from nacre import places
from nacre.guest import boot_files
from nacre.pack import programs


def found(description, name):
    """The image beside the description, or among the guests' files; None if it is nowhere."""
    return next((folder / name for folder in (description.parent, places.GUEST)
                 if (folder / name).is_file()), None)


def words(description):
    """The composer's options for each image; what is not there, it complains of."""
    guests = programs.elements(description, "virtual_machine") or []
    for name in sorted({guest.get("boot") for guest in guests} - {None, ""}):
        image = found(description, name)
        if image is None:
            continue
        mark = hashlib.sha256(str(image.absolute()).encode()).hexdigest()[:8]
        kernel, initrd, root = boot_files.extract(
            image, places.BUILD / "boot" / f"{image.stem}-{mark}")
        yield from ("--boot-files", name, kernel, initrd or "", root)
