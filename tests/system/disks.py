# SPDX-License-Identifier: BSD-2-Clause
"""The block drivers at work: the example's client with each kind of disk, and what is on the disk
afterwards."""

import re
import struct

from nacre import build, emulator, machine, places, product, results
from nacre.disks import Disks
from nacre.system_tests import judge

SECONDS = 60
CLIENTS = places.ROOT / "tests" / "system" / "systems" / "disk_clients" / "disk_clients.system"
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
    """A result, and what the machine said."""
    image = product.compose(description, FOLDER / f"{name}.img")
    # By the wall clock: a disk's answer takes time of the host, which a clock that skips idle time
    # would turn into a time-out.
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), modules=(build.artefact("root.elf"), image),
        memory=emulator.MEMORY, disks=disks)
    return judge(name, running, SECONDS, steps)


def in_bochs(name, description, disks, steps):
    iso = product.make_iso(description, FOLDER / f"{name}.iso")
    running = machine.BochsMachine(iso=iso, memory=emulator.MEMORY, disks=disks)
    return judge(name, running, SECONDS, steps)


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


def check_ramdisk():
    FOLDER.mkdir(parents=True, exist_ok=True)
    return in_qemu("disk-ramdisk", EXAMPLE / "ramdisk.system", Disks(), STEPS)[0]


def check_no_disk():
    """BLOCK_NO_DEVICE from both drivers, where there is only a CD or nothing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    steps = [("until", "there is no disk"), ("until", "disk: wrong at: identify, status 7")]
    return (in_qemu("disk-none-qemu", EXAMPLE / "disk.system", Disks(), steps)[0]
            + in_bochs("disk-none-bochs", EXAMPLE / "disk.system", Disks(), steps)[0])


def check_clients():
    name = "disk-clients"
    file = make_disk(name)
    found, said = in_qemu(name, CLIENTS, Disks(ide=file), [
        ("until", text) for text in (
            "(restart 1 of 3)", "(restart 2 of 3)", "(restart 3 of 3)",
            "worker: every sector is right")])
    # The others say theirs at any time.
    found += [results.failed(f"system/{name}/words", f"nobody said {text!r}")
              for text in ("reader: has what it may have", "flooder: goes on")
              if text not in said]
    if re.search("wrong|cannot kill", said):
        found.append(results.failed(f"system/{name}/words", "a client got something wrong"))
    # The flooder may have written from its first sector on; the others' sectors are theirs alone.
    data = file.read_bytes()[:5000 * 512]
    words = [[(sector << 16 ^ i * 77) & 0xFFFFFFFF for i in range(128)] for sector in range(256)]
    expected = bytearray((EXAMPLE / "content.txt").read_bytes().ljust(5000 * 512, b"\0"))
    expected[1000 * 512:1256 * 512] = b"".join(struct.pack("<128I", *row) for row in words)
    if data != expected:
        found.append(results.failed(f"system/{name}/contents", f"{file} has wrong sectors"))
    return found


ROWS = [
    ("disk-ramdisk", "a client reads and writes a disk in memory", check_ramdisk),
    ("disk-ata", "a client reads and writes an IDE disk in QEMU",
     lambda: check_disk("disk-ata", in_qemu, "disk.system", "ide")),
    ("disk-ahci", "a client reads and writes an AHCI disk in QEMU",
     lambda: check_disk("disk-ahci", in_qemu, "ahci.system", "ahci")),
    ("disk-ata-bochs", "a client reads and writes an IDE disk in Bochs",
     lambda: check_disk("disk-ata-bochs", in_bochs, "disk.system", "ide")),
    ("disk-clients", "clients of one disk keep to their sectors, one floods, the driver crashes",
     check_clients),
    ("disk-none", "where there is no disk, clients are told so", check_no_disk),
]
