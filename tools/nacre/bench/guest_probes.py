# SPDX-License-Identifier: BSD-2-Clause
"""Small guests with Debian's kernel, which start one program (bench/guest/load.c) and do nothing
else: one with a disk on the RAM disk driver, and two with a network between them."""

import dataclasses

from nacre import build, places
from nacre.bench import guest_share
from nacre.machine import emulator
from nacre.pack import bzimage, cpio, iso, product, programs, system_image

# Drivers, in the order in which they need each other.
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev",
           "virtio_pci", "virtio_blk", "failover", "net_failover", "virtio_net")
FLAVOUR = "release"
END = "all is measured"
ADDRESS = "10.0.0.2"
IDLE_SECONDS = 60
# The kernel gives `role` to its first program.
GUEST = ('<virtual_machine name="{name}" memory="128M" kernel="vmlinuz" initrd="initramfs.cpio" '
         'cmdline="console=ttyS0 quiet panic=-1 cryptomgr.notests=1 role={name}">{devices}'
         '</virtual_machine>')
DISK = "<system>" + GUEST.format(name="disk", devices='<disk size="16M"/>') + "</system>"
IDLE = "<system>" + GUEST.format(name="idle", devices="") + "</system>"
NETWORK = ('<system><switch name="lan"/>'
           + GUEST.format(name="asks", devices='<network switch="lan"/>')
           + GUEST.format(name="answers", devices='<network switch="lan"/>') + "</system>")
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
export PATH=/sbin:/bin
for m in {modules}; do [ -e /lib/$m.ko ] && insmod /lib/$m.ko; done
case $role in
disk)
{disk} && echo {end}
;;
idle)
sleep 5; load mark; sleep {seconds}; load mark; echo {end}
;;
answers)
load echo &
ifconfig eth0 {address} up
;;
asks)
ifconfig eth0 10.0.0.1 up
until ping -c 1 -W 1 {address} >/dev/null; do :; done
{asks} && echo {end}
;;
esac
sleep 100000
"""


@dataclasses.dataclass(frozen=True)
class Work:
    """So many requests of so many units (blocks, or datagrams with one answer). `limit` is the most
    instructions a unit that may be executed beside the guest; none: for information."""

    name: str
    title: str
    kind: str
    count: int
    size: int
    limit: int | None = None

    @property
    def units(self):
        return self.count * (self.size + (self.kind == "ask"))

    def command(self):
        place = ADDRESS if self.kind == "ask" else "/dev/vda"
        return f"load {self.kind} {place} {self.count} {self.size}"


# The first of each warms up.
BLOCKS = (
    Work("", "", "read", 50, 1), Work("", "", "write", 50, 1),
    Work("block-read", "4 KiB of a RAM disk read in order", "scan", 4000, 1, 2500),
    Work("block-write", "4 KiB written in order, and to the disk", "fill", 4000, 1, 2500),
    Work("block-read-alone", "4 KiB read, a request each", "read", 1000, 1, 2500),
    Work("block-write-alone", "4 KiB written, a request each", "write", 1000, 1, 2500))
PACKETS = (
    Work("", "", "ask", 50, 1),
    Work("packet", "packet to the other guest, one at a time", "ask", 500, 1, 3500),
    Work("packet-32", "packet to the other guest, batches of 32", "ask", 100, 32, 1200))


def names(works):
    return tuple(work.name for work in works if work.name)


def archive():
    """The guests' initial RAM disk, the demo's with more: of two files of a name the later one is
    taken."""
    added = cpio.Archive()
    text = INIT.format(modules=" ".join(MODULES), address=ADDRESS, end=END,
                       seconds=IDLE_SECONDS,
                       disk=" && ".join(work.command() for work in BLOCKS),
                       asks=" && ".join(work.command() for work in PACKETS))
    added.add_file("bin/load", guest_share.program().read_bytes(), 0o755)
    added.add_file("init", text.encode(), 0o755)
    return places.GUEST_INITRAMFS.read_bytes() + added.finish()


def make_iso(name, description):
    folder = guest_share.FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / places.GUEST_KERNEL.name).write_bytes(
        bzimage.inflated(places.GUEST_KERNEL.read_bytes()))
    (folder / places.GUEST_INITRAMFS.name).write_bytes(archive())
    system = folder / f"{name}.system"
    system.write_text(description)
    image = folder / "system.img"
    system_image.compose(system, image, (folder, programs.ensure(system)), FLAVOUR)
    kernel, modules = product.system_files(image, FLAVOUR)
    target = folder / f"{name}.iso"
    iso.pack_nacre(target, kernel, modules)
    return target


def counted(name, description, pairs):
    """What was counted between so many pairs of marks."""
    build.compile_all()
    product.guest_files()
    return guest_share.between(guest_share.run(
        name, [("until", END)], 2 * pairs, iso=make_iso(name, description),
        memory=emulator.MEMORY))


def measured(name, description, works):
    """(work, counts) of each that is no warm-up."""
    found = zip(works, counted(name, description, len(works)))
    return [(work, counts) for work, counts in found if work.name]


def idle():
    """Of a guest that sleeps for IDLE_SECONDS."""
    return counted("idle", IDLE, 1)[0]


def blocks():
    return measured("disk", DISK, BLOCKS)


def packets():
    return measured("network", NETWORK, PACKETS)
