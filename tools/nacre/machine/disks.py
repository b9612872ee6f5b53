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
BOCHS_DISK = "ide.disk"


@dataclasses.dataclass(frozen=True)
class Kind:
    """How a machine has such a disk: the driver= of descriptions for it, the option that names its
    file, and QEMU's device and the controller before it. Bochs has those at IDE only. A guest that
    drives it itself names its PCI class."""

    driver: str
    option: str
    help: str
    device: str
    pci_class: str = ""
    slot: str = ""
    slot_beside_iommu: str = ""
    controller: tuple = ()
    bochs: bool = False


# Fields of Disks. Slots are stated, so that firmware gives registers the same place in every run,
# and interrupts take the same pin: descriptions name them. QEMU's PC wires the first line of these
# to pin 10, and so does its machine with an IOMMU, in other slots.
KINDS = {
    "ide": Kind("ata", "--disk", "the machine's IDE disk: a file of sectors, which is written to",
                "ide-hd,bus=ide.0,unit=0", bochs=True),
    "ahci": Kind("ahci", "--ahci-disk", "the same at an AHCI controller (QEMU only)",
                 "ide-hd,bus=ahci.0", "0106", "6", "5", ("-device", "ahci,id=ahci,addr={slot}")),
    "virtio": Kind("virtio", "--virtio-disk", "the same as a virtio disk (QEMU only)",
                   "virtio-blk-pci,addr={slot},disable-legacy=on,iommu_platform=on", "0100", "0xa",
                   "9"),
    "nvme": Kind("nvme", "--nvme-disk", "the same as an NVMe disk (QEMU only)",
                 "nvme,addr={slot},serial=nacre", "0108", "0xe", "0xd"),
}
KIND_OF_DRIVER = {kind.driver: name for name, kind in KINDS.items()}
KIND_OF_CLASS = {kind.pci_class: name for name, kind in KINDS.items() if kind.pci_class}


@dataclasses.dataclass(frozen=True)
class Disks:
    """The files, None for a disk that the machine does not have."""

    ide: pathlib.Path | None = None
    ahci: pathlib.Path | None = None
    virtio: pathlib.Path | None = None
    nvme: pathlib.Path | None = None

    def there(self):
        """(name of the kind, file) of each disk."""
        return [(name, getattr(self, name)) for name in KINDS if getattr(self, name)]


NO_DISKS = Disks()


def destination(name):
    """Where the command line has the file of a kind's option."""
    return f"{name}_disk"


def checked(**files):
    """The disks of a command line, with absolute paths."""
    for name, file in files.items():
        option = KINDS[name].option
        if file is None:
            continue
        if not file.is_file():
            raise Failure(f"{option} {file}: there is no such file; make one: "
                          f"truncate -s 4M {file}")
        if file.stat().st_size == 0 or file.stat().st_size % SECTOR:
            raise Failure(f"{option} {file}: has {file.stat().st_size} bytes, which are no whole "
                          f"sectors of {SECTOR}")
    return Disks(**{name: file and file.absolute() for name, file in files.items()})


def qemu_device(driver, drive, more="", iommu=False):
    """QEMU's options for the disk of this driver= with its controller, if the drive of that name is
    there; `more` are further settings of the disk."""
    kind = KINDS[KIND_OF_DRIVER[driver]]
    words = [*kind.controller, "-device", f"{kind.device},drive={drive}{more}"]
    slot = kind.slot_beside_iommu if iommu else kind.slot
    return [word.replace("{slot}", slot) for word in words]


def qemu_options(disks, iommu=False):
    options = []
    for name, file in disks.there():
        # QEMU splits the option at commas; a doubled one stands for itself.
        path, drive = str(file).replace(",", ",,"), f"{name}-disk"
        options += ["-drive", f"if=none,id={drive},format=raw,file={path}",
                    *qemu_device(KINDS[name].driver, drive, iommu=iommu)]
    return options


def link_for_bochs(disks, directory):
    """Bochs puts a lock beside the file and leaves it there when it is killed, after which it
    refuses the file: so it sees a link in the machine's own directory."""
    if disks.ide:
        (directory / BOCHS_DISK).symlink_to(disks.ide)


def check_bochs(disks):
    for name, _ in disks.there():
        if not KINDS[name].bochs:
            raise Failure(f"Bochs has nothing for {KINDS[name].option}: take --emulator qemu")


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
