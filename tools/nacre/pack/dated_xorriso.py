#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xorriso as grub-mkrescue calls it, but with one date everywhere: same contents, same bytes."""

import os
import pathlib
import sys
import tempfile
import time

PROGRAM = "xorriso"
# Extended boot signature and volume serial number of FAT12 and FAT16.
FAT_SERIAL, FAT_SERIAL_FOLLOWS = 0x27, 0x29
DATE_OPTION = "--modification-date="


def epoch():
    return int(os.environ.get("SOURCE_DATE_EPOCH", "946684800"))


def is_temporary(path):
    """Whether it lies in the folder for temporary files, where grub-mkrescue and iso.py collect
    what is packed. Nothing else may be touched: xorriso's words hold other paths, `/` too."""
    return pathlib.Path(tempfile.gettempdir()).resolve() in pathlib.Path(path).resolve().parents


def set_dates(folder):
    """Gives a folder and everything in it the date."""
    for path in [*pathlib.Path(folder).rglob("*"), pathlib.Path(folder)]:
        os.utime(path, (epoch(), epoch()), follow_symlinks=False)


def set_serial(image):
    """Gives a FAT file system, which mformat numbers by the clock, a fixed serial number."""
    with image.open("r+b") as file:
        head = file.read(FAT_SERIAL + 4)
        if len(head) == FAT_SERIAL + 4 and head[FAT_SERIAL - 1] == FAT_SERIAL_FOLLOWS:
            file.seek(FAT_SERIAL)
            file.write(epoch().to_bytes(4, "little"))


def dashed(stamp):
    """2000-01-01-00-00-00-00 of 2000010100000000"""
    return "-".join([stamp[:4], *(stamp[i:i + 2] for i in range(4, len(stamp), 2))])


def set_name(folder, old, new):
    """From version 2.12 on GRUB finds its ISO by a file that is named after the clock; the name is
    in GRUB's images too."""
    marker = folder / ".disk" / f"{old}.uuid"
    if not marker.exists():
        return
    marker.rename(marker.with_name(f"{new}.uuid"))
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        if old.encode() in data:
            path.write_bytes(data.replace(old.encode(), new.encode()))


def main(words):
    stamp = time.strftime("%Y%m%d%H%M%S00", time.gmtime(epoch()))
    clocks = [word.removeprefix(DATE_OPTION) for word in words if word.startswith(DATE_OPTION)]
    words = [DATE_OPTION + stamp if word.startswith(DATE_OPTION) else word for word in words]
    for word in words:
        # Folders to pack are named as they are or, with -graft-points, after an equals sign.
        source = word.partition("=")[2] or word
        if os.path.isabs(source) and os.path.isdir(source) and is_temporary(source):
            for image in pathlib.Path(source).glob("efi.img"):
                set_serial(image)
            for clock in clocks:
                set_name(pathlib.Path(source), dashed(clock), dashed(stamp))
            set_dates(source)
    os.execvp(PROGRAM, [PROGRAM, *words])


if __name__ == "__main__":
    main(sys.argv[1:])
