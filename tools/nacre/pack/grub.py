# SPDX-License-Identifier: BSD-2-Clause
"""GRUB's images for BIOS and UEFI, made of Debian's modules; the same modules make the same bytes.

By BIOS GRUB's core finds its other modules as files: unpacking a core with all of them takes Bochs
a third of its way to the kernel. By UEFI they are in the one file that the firmware loads.
"""

import os
import pathlib
import shutil
import tempfile

from nacre.report import Failure, run_logged

LIBRARY = pathlib.Path("/usr/lib/grub")
BIOS, UEFI = "i386-pc", "x86_64-efi"
# Where firmware looks on a medium of which it knows nothing (UEFI 2.10, 3.5.1.1).
UEFI_PATH = "EFI/BOOT/BOOTX64.EFI"
# What gets the time of all files made here, the year 2000.
EPOCH = 946684800
ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "TZ": "UTC"}
SECTOR = 512


def needed_modules(platform, names):
    """The modules and all that they need, in no order."""
    lines = (LIBRARY / platform / "moddep.lst").read_text().splitlines()
    needs = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in needs:
            raise Failure(f"GRUB for {platform} has no module {name}")
        if name not in found:
            found.add(name)
            waiting += needs[name]
    return sorted(found)


def copy_modules(folder, names):
    """Those that a core for BIOS loads from /boot/grub."""
    (folder / BIOS).mkdir(parents=True)
    for name in needed_modules(BIOS, names):
        shutil.copyfile(LIBRARY / BIOS / f"{name}.mod", folder / BIOS / f"{name}.mod")


def make_core(target, form, modules, start="", prefix="/boot/grub", more=()):
    """A core image of this form (grub-mkimage's name of it); `start` is what it executes first, in
    the few commands of GRUB's rescue mode, the prefix where it finds its files."""
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as script:
        script.write(start)
        script.flush()
        run_logged(["grub-mkimage", "-O", form, "-p", prefix, "-o", target,
                    *(["-c", script.name] if start else []), *more, *modules],
                   f"grub-{target.name}", env=ENVIRONMENT)


def make_fat(target, size, folder, *options):
    """An image of a FAT file system of that many bytes with all that the folder holds."""
    for words in (["mformat", "-C", "-i", target, "-T", size // SECTOR, *options, "::"],
                  ["mcopy", "-s", "-i", target, *sorted(folder.iterdir()), "::/"]):
        run_logged(words, f"grub-{target.name}", env=ENVIRONMENT)
