# SPDX-License-Identifier: BSD-2-Clause
"""Disks of an emulated machine: files of sectors, at an IDE channel, at a controller of AHCI or
NVMe, or behind virtio.

The IDE disk is the first drive of the primary channel (ports 0x1f0 and 0x3f6, interrupt 14); a boot
CD goes to the secondary one. Writes go to the file.
"""

import dataclasses
import pathlib

from nacre.report import Failure

SECTOR = 512
# Slots are stated, so that firmware gives registers the same place in every run, and interrupts
# take the same pin: descriptions name them. QEMU's PC wires the first line of these to pin 10.
AHCI_SLOT = 6
VIRTIO_SLOT = 10
NVME_SLOT = 14
NVME_SERIAL = "nacre"
BOCHS_DISK = "ide.disk"


@dataclasses.dataclass(frozen=True)
class Disks:
    """The files, None for a disk that the machine does not have."""

    ide: pathlib.Path | None = None
    ahci: pathlib.Path | None = None
    virtio: pathlib.Path | None = None
    nvme: pathlib.Path | None = None

    def needs_qemu(self):
        """Of the kinds of disks that Bochs does not have, the name of one that is here."""
        return next((name for name in ("ahci", "virtio", "nvme") if getattr(self, name)), None)


NO_DISKS = Disks()


# Fields of Disks, and the option that gives each its file.
OPTIONS = {"ide": "--disk", "ahci": "--ahci-disk", "virtio": "--virtio-disk", "nvme": "--nvme-disk"}


def checked(**files):
    """The disks of a command line, with absolute paths."""
    for name, file in files.items():
        option = OPTIONS[name]
        if file is None:
            continue
        if not file.is_file():
            raise Failure(f"{option} {file}: there is no such file; make one: "
                          f"truncate -s 4M {file}")
        if file.stat().st_size == 0 or file.stat().st_size % SECTOR:
            raise Failure(f"{option} {file}: has {file.stat().st_size} bytes, which are no whole "
                          f"sectors of {SECTOR}")
    return Disks(**{name: file and file.absolute() for name, file in files.items()})


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
    if disks.virtio:
        options += [*_qemu_drive("virtio-disk", disks.virtio), "-device",
                    f"virtio-blk-pci,drive=virtio-disk,addr={VIRTIO_SLOT:#x},disable-legacy=on"]
    if disks.nvme:
        options += [*_qemu_drive("nvme-disk", disks.nvme), "-device",
                    f"nvme,drive=nvme-disk,addr={NVME_SLOT:#x},serial={NVME_SERIAL}"]
    return options


def link_for_bochs(disks, directory):
    """Bochs puts a lock beside the file and leaves it there when it is killed, after which it
    refuses the file: so it sees a link in the machine's own directory."""
    if disks.ide:
        (directory / BOCHS_DISK).symlink_to(disks.ide)


def check_bochs(disks):
    missing = disks.needs_qemu()
    if missing:
        raise Failure(f"Bochs has nothing for {OPTIONS[missing]}: take --emulator qemu")


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
