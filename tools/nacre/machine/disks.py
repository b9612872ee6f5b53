# SPDX-License-Identifier: BSD-2-Clause
"""Disks of an emulated machine: files of sectors, at an IDE channel or at an AHCI controller.

The IDE disk is the first drive of the primary channel (ports 0x1f0 and 0x3f6, interrupt 14); a boot
CD goes to the secondary one. Writes go to the file.
"""

import dataclasses
import pathlib

from nacre.report import Failure

SECTOR = 512
# The slot of the controller is stated, so that firmware gives its registers the same place in
# every run: descriptions name it.
AHCI_SLOT = 6
BOCHS_DISK = "ide.disk"


@dataclasses.dataclass(frozen=True)
class Disks:
    """The files, None for a disk that the machine does not have."""

    ide: pathlib.Path | None = None
    ahci: pathlib.Path | None = None


NO_DISKS = Disks()


def checked(ide, ahci):
    """The disks of a command line, with absolute paths."""
    for option, file in (("--disk", ide), ("--ahci-disk", ahci)):
        if file is None:
            continue
        if not file.is_file():
            raise Failure(f"{option} {file}: there is no such file; make one: "
                          f"truncate -s 4M {file}")
        if file.stat().st_size == 0 or file.stat().st_size % SECTOR:
            raise Failure(f"{option} {file}: has {file.stat().st_size} bytes, which are no whole "
                          f"sectors of {SECTOR}")
    return Disks(ide and ide.absolute(), ahci and ahci.absolute())


def _qemu_drive(name, file):
    # QEMU splits the option at commas; a doubled one stands for itself.
    return ["-drive", f"if=none,id={name},format=raw,file={str(file).replace(',', ',,')}"]


def qemu_options(disks):
    options = []
    if disks.ide:
        options += [*_qemu_drive("ide-disk", disks.ide),
                    "-device", "ide-hd,drive=ide-disk,bus=ide.0,unit=0"]
    if disks.ahci:
        options += [*_qemu_drive("ahci-disk", disks.ahci),
                    "-device", f"ahci,id=ahci,addr={AHCI_SLOT}",
                    "-device", "ide-hd,drive=ahci-disk,bus=ahci.0"]
    return options


def link_for_bochs(disks, directory):
    """Bochs puts a lock beside the file and leaves it there when it is killed, after which it
    refuses the file: so it sees a link in the machine's own directory."""
    if disks.ide:
        (directory / BOCHS_DISK).symlink_to(disks.ide)


def check_bochs(disks):
    if disks.ahci:
        raise Failure("Bochs has no AHCI controller: take --emulator qemu")


def bochs_lines(disks, iso):
    """The lines of a Bochs configuration for the disks and the boot CD."""
    check_bochs(disks)
    cdrom = f'type=cdrom, path="{iso}", status=inserted'
    primary = "ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14"
    if not disks.ide:
        return f"{primary}\nata0-master: {cdrom}"
    return (f"{primary}\nata0-master: type=disk, mode=flat, path=\"{BOCHS_DISK}\"\n"
            "ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15\n"
            f"ata1-master: {cdrom}")
