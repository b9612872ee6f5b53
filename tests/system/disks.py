# SPDX-License-Identifier: BSD-2-Clause
"""The block drivers at work: the example's client with each kind of disk, and what is on the disk
afterwards."""

from nacre import build, emulator, machine, places, product, results
from nacre.disks import Disks
from nacre.system_tests import judge

SECONDS = 60
EXAMPLE = places.ROOT / "examples" / "disk"
FOLDER = places.BUILD / "system-tests" / "disks"
BYTES = 4 << 20
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


def in_qemu(name, description, disks, steps):
    image = product.compose(EXAMPLE / description, FOLDER / f"{name}.img")
    # By the wall clock: a disk's answer takes time of the host, which a clock that skips idle time
    # would turn into a time-out.
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), modules=(build.artefact("root.elf"), image),
        memory=emulator.MEMORY, disks=disks)
    return judge(name, running, SECONDS, steps)[0]


def in_bochs(name, description, disks, steps):
    iso = product.make_iso(EXAMPLE / description, FOLDER / f"{name}.iso")
    running = machine.BochsMachine(iso=iso, memory=emulator.MEMORY, disks=disks)
    return judge(name, running, SECONDS, steps)[0]


def disk_contents(name, file):
    """What was written is on the disk, and nothing else changed."""
    expected = bytearray((EXAMPLE / "content.txt").read_bytes().ljust(BYTES, b"\0"))
    expected[WRITTEN_AT:WRITTEN_AT + len(WRITTEN)] = WRITTEN
    name = f"system/{name}/contents"
    return [results.passed(name) if file.read_bytes() == expected else
            results.failed(name, f"{file} does not hold what the client wrote")]


def check_disk(name, run, description, kind):
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = make_disk(name)
    found = run(name, description, Disks(**{kind: file}), STEPS)
    return found + disk_contents(name, file)


def check_ramdisk():
    FOLDER.mkdir(parents=True, exist_ok=True)
    return in_qemu("disk-ramdisk", "ramdisk.system", Disks(), STEPS)


def check_no_disk():
    """BLOCK_NO_DEVICE from both drivers, where there is only a CD or nothing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    steps = [("until", "there is no disk"), ("until", "disk: wrong at: identify, status 7")]
    return (in_qemu("disk-none-qemu", "disk.system", Disks(), steps)
            + in_bochs("disk-none-bochs", "disk.system", Disks(), steps))


ROWS = [
    ("disk-ramdisk", "a client reads and writes a disk in memory", check_ramdisk),
    ("disk-ata", "a client reads and writes an IDE disk in QEMU",
     lambda: check_disk("disk-ata", in_qemu, "disk.system", "ide")),
    ("disk-ahci", "a client reads and writes an AHCI disk in QEMU",
     lambda: check_disk("disk-ahci", in_qemu, "ahci.system", "ahci")),
    ("disk-ata-bochs", "a client reads and writes an IDE disk in Bochs",
     lambda: check_disk("disk-ata-bochs", in_bochs, "disk.system", "ide")),
    ("disk-none", "where there is no disk, clients are told so", check_no_disk),
]
