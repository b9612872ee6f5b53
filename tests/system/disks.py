# SPDX-License-Identifier: BSD-2-Clause
"""The block drivers at work: the example's client with each kind of disk, and what is on the disk
afterwards."""

import re
import shutil
import struct
import uuid
from xml.etree import ElementTree

from nacre import build, places
from nacre.guest import partitions
from nacre.machine import emulator, machine
from nacre.machine.disks import Disks, qemu_device
from nacre.pack import product
from nacre.test import results
from nacre.test.system_tests import composed_clients, judge

CLIENTS = places.ROOT / "tests" / "system" / "systems" / "disk_clients"
EXAMPLE = places.ROOT / "examples" / "disk"
FOLDER = places.BUILD / "system-tests" / "disks"
BYTES = 4 << 20
# What the kernel says of a device's access that the IOMMU refuses.
REFUSED = re.compile("iommu: device .* may not (?:.* at 0x([0-9a-f]+))?")
STEPS = [("until", text) for text in (
    "disk: 1024 sectors", "disk: the known line is there", "disk: read back what was written",
    "disk: all right")]
# Where the client writes, and what.
WRITTEN_AT = 8 * 512
WRITTEN = bytes((i * 7 + i // 256) % 256 for i in range(16 * 512))


def make_disk(name):
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.disk"
    file.write_bytes((EXAMPLE / "content.txt").read_bytes().ljust(BYTES, b"\0"))
    return file


def in_qemu(name, description, disks, steps, **settings):
    """A result, and what the machine said."""
    return composed_in_qemu(name, product.compose(description, FOLDER / f"{name}.img"), disks,
                            steps, **settings)


def confined_in_qemu(name, description, disks, steps, cut_off=()):
    """The same where there is an IOMMU: the disk's device reaches what it is given, and tries
    nothing else. Of the ranges that it is cut off from, an access may have been under way."""
    found, said = in_qemu(name, description, disks, steps, iommu="intel")
    reach = re.findall(r"system: ..:..\.., device of '(\w+)', reaches \d+ KiB", said)
    refused = [match for match in REFUSED.finditer(said) if not match.group(1) or
               not any(int(match.group(1), 16) in addresses for addresses in cut_off)]
    if len(reach) != 1 or refused:
        found.append(results.failed(f"system/{name}/reach", f"reach of {reach}; refused: "
                                    f"{[match.group() for match in refused]}"))
    return found, said


def given(description):
    """The ranges of addresses that a description gives a device."""
    system = ElementTree.parse(description)
    names = {dma.get("mr") for dma in system.iter("dma")}
    for region in system.iter("memory_region"):
        if region.get("name") in names:
            start = int(region.get("phys_addr"), 0)
            yield range(start, start + int(region.get("size"), 0))


def cut_in_qemu(name, description, disks, steps):
    """The same where the driver is killed: its device is cut off first."""
    return confined_in_qemu(name, description, disks, steps, list(given(description)))


def composed_in_qemu(name, image, disks, steps, **settings):
    # By the wall clock: a disk's answer takes time of the host, which a clock that skips idle time
    # would turn into a time-out.
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), modules=(build.artefact("root.elf"), image),
        memory=emulator.MEMORY, disks=disks, **settings)
    return judge(name, running, steps)


def in_odd_qemu(name, description, options, clock):
    """The example with a disk that behaves badly, given by QEMU's own options."""
    image = product.compose(EXAMPLE / description, FOLDER / f"{name}.img")
    return machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), modules=(build.artefact("root.elf"), image),
        memory=emulator.MEMORY, clock=clock, extra=options)


def in_bochs(name, description, disks, steps):
    iso = product.make_iso(description, FOLDER / f"{name}.iso")
    running = machine.BochsMachine(iso=iso, memory=emulator.MEMORY, disks=disks)
    return judge(name, running, steps)


def disk_contents(name, file):
    """What was written is on the disk, and nothing else changed."""
    expected = bytearray((EXAMPLE / "content.txt").read_bytes().ljust(BYTES, b"\0"))
    expected[WRITTEN_AT:WRITTEN_AT + len(WRITTEN)] = WRITTEN
    name = f"system/{name}/contents"
    return [results.passed(name) if file.read_bytes() == expected else
            results.failed(name, f"{file} does not hold what the client wrote")]


def check_disk(name, run, description, kind):
    file = make_disk(name)
    found, _ = run(name, EXAMPLE / description, Disks(**{kind: file}), STEPS)
    return found + disk_contents(name, file)


def check_short(name):
    """The example's client with the driver that a short element implies, where the example itself
    is written without."""
    file = make_disk(name)
    image = composed_clients(name, EXAMPLE / "client.c", '<disk driver="ahci" count="1024"/>')
    found, _ = composed_in_qemu(name, image, Disks(ahci=file), STEPS)
    return found + disk_contents(name, file)


def check_ramdisk():
    FOLDER.mkdir(parents=True, exist_ok=True)
    return in_qemu("disk-ramdisk", EXAMPLE / "ramdisk.system", Disks(), STEPS)[0]


def check_no_disk():
    """BLOCK_NO_DEVICE from both drivers, where there is only a CD or nothing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    steps = [("until", "there is no disk"), ("until", "disk: wrong at: identify, status 7")]
    no_controller = [("until", "ahci: no device"), *steps[1:]]
    return (in_qemu("disk-none-qemu", EXAMPLE / "disk.system", Disks(), steps)[0]
            + in_qemu("disk-none-ahci", EXAMPLE / "ahci.system", Disks(), no_controller)[0]
            + in_qemu("disk-none-virtio", EXAMPLE / "virtio.system", Disks(),
                      [("until", "virtio_blk: no device"), *steps[1:]])[0]
            + in_qemu("disk-none-nvme", EXAMPLE / "nvme.system", Disks(),
                      [("until", "nvme: no device"), *steps[1:]])[0]
            + in_bochs("disk-none-bochs", EXAMPLE / "disk.system", Disks(), steps)[0])


def check_errors():
    """QEMU fails the reads of sector 0."""
    found = []
    for driver, description, more in (
            ("ata", "disk.system", ",rerror=report"), ("ahci", "ahci.system", ",rerror=report"),
            ("virtio", "virtio.system", ",rerror=report"), ("nvme", "nvme.system", "")):
        name = f"disk-error-{driver}"
        running = in_odd_qemu(name, description, (
            "-blockdev", "driver=blkdebug,node-name=bad,image.driver=file,"
            f"image.filename={make_disk(name)},inject-error.0.event=none,"
            "inject-error.0.iotype=read,inject-error.0.sector=0,inject-error.0.errno=5",
            *qemu_device(driver, "bad", more)), "wall")
        found += judge(name, running, [
            ("until", "disk: 1024 sectors"), ("until", "disk: wrong at: read, status 5")])[0]
    return found


def check_time_out():
    """The disk moves 64 bytes in a second of the host's time, while the machine's clock skips the
    time in which it waits: 10 seconds are over at once."""
    found = []
    for driver, description, program in (("ata", "disk.system", "ata"),
                                         ("virtio", "virtio.system", "virtio_blk"),
                                         ("nvme", "nvme.system", "nvme")):
        name = f"disk-time-out-{driver}"
        running = in_odd_qemu(name, description, (
            "-drive", f"if=none,id=slow,format=raw,file={make_disk(name)},throttling.bps-total=64",
            *qemu_device(driver, "slow")), "instructions")
        found += judge(name, running, [
            ("until", f"{program}: the device does not respond and is reset"),
            ("until", "status 6")])[0]
    return found


def partitioned(name, damage=0):
    """The disk of three clients with a partition each, its first table damaged at an offset. The
    flooder's begins where its sectors do without a table, and so do the worker's."""
    def partition(first, count, kind, label):
        return partitions.Partition(0, first * 512, count * 512, kind, str(uuid.uuid4()), label)
    file = make_disk(name)
    content = file.read_bytes()[:512]
    with file.open("r+b") as data:
        partitions.write_gpt(data, BYTES,
                             partition(1000, 256, str(partitions.LINUX_ROOT), "worker"),
                             partition(2000, 8, str(partitions.LINUX_ROOT), "reader"),
                             partition(5000, 1000, "0fc63daf-8483-4772-8e79-3d69d8477de4", ""))
        data.seek(2000 * 512)
        data.write(content)
        if damage:
            data.seek(damage)
            data.write(b"damage")
    return file


def check_partitions(name, killed, damage=0):
    """The worker kills the driver, or the service, in the middle of its work."""
    file = partitioned(name, damage)
    before = file.read_bytes()
    description = FOLDER / name / "partitions.system"
    shutil.copytree(CLIENTS, description.parent, dirs_exist_ok=True)
    text = (CLIENTS / "partitions.system").read_text()
    description.write_text(text.replace('<cap_tcb pd="ata"', f'<cap_tcb pd="{killed}"'))
    found, said = in_qemu(name, description, Disks(ide=file), [
        ("until", "GPT, of which the first copy is damaged" if damage else "8192 sectors, GPT"),
        *CLIENTS_STEPS])
    found += judge_clients(name, said)
    if "partition: client 1 has sectors 2000+8, read-only" not in said:
        found.append(results.failed(f"system/{name}/words", "the reader's partition is not said"))
    data = file.read_bytes()
    changed = {sector for sector in range(len(data) // 512)
               if data[sector * 512:][:512] != before[sector * 512:][:512]}
    if data[1000 * 512:1256 * 512] != worker_sectors() or \
            not changed <= {*range(1000, 1256), *range(5000, 6000)}:
        found.append(results.failed(f"system/{name}/contents", f"{file} has wrong sectors"))
    return found


def check_short_partitions(name):
    """Two of the example's clients, each with a partition by a short element."""
    image = composed_clients(name, EXAMPLE / "client.c",
                             *(f'<disk driver="virtio" partition="{partition}"/>'
                               for partition in ("2", "label=second")))
    file, content = make_disk(name), (EXAMPLE / "content.txt").read_bytes()
    starts = (4096, 2048)
    with file.open("r+b") as data:
        partitions.write_gpt(data, BYTES, *(
            partitions.Partition(0, start * 512, 1024 * 512, str(partitions.LINUX_ROOT),
                                 str(uuid.uuid4()), label)
            for start, label in zip(starts[::-1], ("second", "first"))))
        for start in starts:
            data.seek(start * 512)
            data.write(content)
    expected = bytearray(file.read_bytes())
    found, _ = composed_in_qemu(name, image, Disks(virtio=file), [
        ("until", "client 0 has sectors 4096+1024"), ("until", "disk: all right"),
        ("until", "disk: all right")])
    for start in starts:
        place = start * 512 + WRITTEN_AT
        expected[place:place + len(WRITTEN)] = WRITTEN
    full = f"system/{name}/contents"
    return found + [results.passed(full) if file.read_bytes() == expected else
                    results.failed(full, f"{file} does not hold what the clients wrote")]


CLIENTS_STEPS = [("until", text) for text in (
    "(restart 1 of 3)", "(restart 2 of 3)", "(restart 3 of 3)", "worker: every sector is right")]


def worker_sectors():
    """What the worker writes."""
    return b"".join(struct.pack("<128I", *((sector << 16 ^ i * 77) & 0xFFFFFFFF
                                           for i in range(128))) for sector in range(256))


def judge_clients(name, said):
    found = []
    if "reader: has what it may have" not in said:
        found.append(results.failed(f"system/{name}/words", "the reader did not come through"))
    if re.search("wrong|cannot kill", said):
        found.append(results.failed(f"system/{name}/words", "a client got something wrong"))
    return found


def check_clients(name, description, kind, run=in_qemu):
    file = make_disk(name)
    found, said = run(name, CLIENTS / description, Disks(**{kind: file}), CLIENTS_STEPS)
    found += judge_clients(name, said)
    # The flooder may have written from its first sector on; the others' sectors are theirs alone.
    data = file.read_bytes()[:5000 * 512]
    expected = bytearray((EXAMPLE / "content.txt").read_bytes().ljust(5000 * 512, b"\0"))
    expected[1000 * 512:1256 * 512] = worker_sectors()
    if data != expected:
        found.append(results.failed(f"system/{name}/contents", f"{file} has wrong sectors"))
    return found


ROWS = [
    ("disk-ramdisk", "a client reads and writes a disk in memory", check_ramdisk),
    ("disk-ata", "a client reads and writes an IDE disk in QEMU",
     lambda: check_disk("disk-ata", in_qemu, "disk.system", "ide")),
    ("disk-ahci", "a client reads and writes an AHCI disk in QEMU",
     lambda: check_disk("disk-ahci", in_qemu, "ahci.system", "ahci")),
    ("disk-virtio", "a client reads and writes a virtio disk in QEMU",
     lambda: check_disk("disk-virtio", in_qemu, "virtio.system", "virtio")),
    ("disk-nvme", "a client reads and writes an NVMe disk in QEMU",
     lambda: check_disk("disk-nvme", in_qemu, "nvme.system", "nvme")),
    ("disk-ata-bochs", "a client reads and writes an IDE disk in Bochs",
     lambda: check_disk("disk-ata-bochs", in_bochs, "disk.system", "ide")),
    ("disk-clients", "clients of one disk keep to their sectors, one floods, the driver crashes",
     lambda: check_clients("disk-clients", "disk_clients.system", "ide")),
    ("disk-clients-virtio", "the same with a virtio disk",
     lambda: check_clients("disk-clients-virtio", "virtio.system", "virtio")),
    ("disk-clients-nvme", "the same with an NVMe disk",
     lambda: check_clients("disk-clients-nvme", "nvme.system", "nvme")),
    *((f"disk-clients-{kind}-iommu", "the same behind an IOMMU: cut off, stopped and built again, "
       "its device does nothing wrong", lambda kind=kind: check_clients(
           f"disk-clients-{kind}-iommu", f"{kind}.system", kind, cut_in_qemu))
      for kind in ("virtio", "nvme")),
    *((f"disk-{kind}-iommu", f"{title} disk works behind an IOMMU with the same description",
       lambda kind=kind: check_disk(f"disk-{kind}-iommu", confined_in_qemu, f"{kind}.system", kind))
      for kind, title in (("ahci", "an AHCI"), ("virtio", "a virtio"), ("nvme", "an NVMe"))),
    ("disk-partitions", "clients of a partition each keep to it; the driver crashes under them",
     lambda: check_partitions("disk-partitions", "ata")),
    ("disk-partitions-service", "the same, and the service crashes",
     lambda: check_partitions("disk-partitions-service", "partition")),
    ("disk-partitions-copy", "the same with a first partition table that is damaged",
     lambda: check_partitions("disk-partitions-copy", "ata", damage=520)),
    ("disk-errors", "a client gets an error for a sector that cannot be read", check_errors),
    ("disk-time-out", "a disk that does not respond is reset, and its client gets an error",
     check_time_out),
    ("disk-ahci-short", "the AHCI driver and the PCI component, implied by a short element",
     lambda: check_short("disk-ahci-short")),
    ("disk-partitions-short", "two clients with a partition each, by short elements",
     lambda: check_short_partitions("disk-partitions-short")),
    ("disk-none", "without a disk, clients get an error", check_no_disk),
]
