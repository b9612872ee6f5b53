# SPDX-License-Identifier: BSD-2-Clause
"""Power failures: a component writes and flushes without an end, the machine is killed at a random
moment, and what the disk had answered to be flushed must be there.

QEMU logs each write and flush (blklogwrites, in the format of Linux' dm-log-writes). A disk that
loses its power may lose all that was written after its last flush: so the disk is made of the log
up to that flush, and nothing is taken from what happens to be in the file.
"""

import random
import re
import shutil
import struct
import time

from nacre import build, places
from nacre.machine import emulator, machine
from nacre.machine.disks import AHCI_SLOT, NVME_SLOT, VIRTIO_SLOT
from nacre.pack import product
from nacre.test import machine_tests, results

SOURCE = places.ROOT / "tests" / "system" / "systems" / "disk_power" / "writer.c"
FOLDER = places.BUILD / "system-tests" / "disk-power"
BYTES = 1 << 20
KILLS = 5
DEVICES = {
    "ata": ("-device", "ide-hd,bus=ide.0,drive=logged"),
    "ahci": ("-device", f"ahci,id=ahci,addr={AHCI_SLOT}",
             "-device", "ide-hd,bus=ahci.0,drive=logged"),
    "virtio": ("-device",
               f"virtio-blk-pci,disable-legacy=on,addr={VIRTIO_SLOT:#x},drive=logged"),
    "nvme": ("-device", f"nvme,serial=1,addr={NVME_SLOT:#x},drive=logged"),
}
# Of the writer.
ROUNDS, WRITES, SECTOR = 64, 4, 512
# Of a log: magic number, version, entries, size of a sector; of an entry: sector, sectors, flags,
# bytes of data that are not sectors. Each begins at a sector, its data at the next.
LOG_MAGIC = 0x6a736677736872
LOG_HEADER, LOG_ENTRY = struct.Struct("<QQQI"), struct.Struct("<QQQQ")
FLUSH, DISCARD = 1, 4


def surviving(log):
    """The disk with what was written before its last flush."""
    disk, waiting, place = bytearray(BYTES), [], SECTOR
    if not any(log[:SECTOR]):
        return bytes(disk)  # there was no flush
    magic, _, entries, size = LOG_HEADER.unpack_from(log)
    if magic != LOG_MAGIC or size != SECTOR:
        raise ValueError("QEMU's log of writes has another format")
    for _ in range(entries):
        sector, count, flags, _ = LOG_ENTRY.unpack_from(log, place)
        place += SECTOR
        if count and not flags & DISCARD:
            waiting.append((sector * SECTOR, log[place:place + count * SECTOR]))
            place += count * SECTOR
        if flags & FLUSH:
            for offset, data in waiting:
                disk[offset:offset + len(data)] = data
            waiting = []
    return bytes(disk)


def sector_of(number, index):
    return struct.pack("<64Q", *(number << 16 ^ index << 8 ^ word for word in range(64)))


def lost(disk, flushed):
    """Rounds that are not on the disk although their flush was answered; later ones may be."""
    missing = []
    for number in range(max(1, flushed - ROUNDS + 1), flushed + 1):
        for index in range(WRITES):
            place = (number % ROUNDS * WRITES + index) * SECTOR
            if disk[place:place + SECTOR] not in (sector_of(number, index),
                                                  sector_of(number + ROUNDS, index)):
                missing.append(number)
    return missing


def one_failure(name, image, driver, chance):
    """(a line if something was lost, rounds that were flushed)"""
    disk, log = FOLDER / f"{name}.disk", FOLDER / f"{name}.log"
    disk.write_bytes(bytes(BYTES))
    log.write_bytes(b"")
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), modules=(build.artefact("root.elf"), image),
        memory=emulator.MEMORY, extra=(
            "-blockdev", "driver=blklogwrites,node-name=logged,file.driver=file,"
            f"file.filename={disk},log.driver=file,log.filename={log}", *DEVICES[driver]))
    with running:
        why, text, _ = machine_tests.watch(
            running, f"system-{name}", [("until", f"flushed {chance.randrange(5, 150)}\n")])
        time.sleep(chance.random() / 20)
    if why:
        return why, 0
    if "wrong" in text or "full" in text:
        return "the writer got a wrong answer", 0
    flushed = int(re.findall(r"flushed (\d+)\n", text)[-1])
    missing = lost(surviving(log.read_bytes()), flushed)
    return (f"rounds {missing[:8]} of {flushed} are lost ({log})" if missing else ""), flushed


def check(driver):
    name = f"disk-power-{driver}"
    folder = FOLDER / driver
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(SOURCE, folder)
    description = folder / f"{name}.system"
    description.write_text(
        '<system><protection_domain name="writer" program="writer.elf" priority="100">'
        f'<disk driver="{driver}"/></protection_domain></system>\n')
    image = product.compose(description, folder / f"{name}.img")
    chance, rounds = random.Random(name), 0
    for kill in range(KILLS):
        why, flushed = one_failure(name, image, driver, chance)
        if why:
            return [results.failed(f"system/{name}", f"failure {kill + 1}: {why}")]
        rounds += flushed
    return [results.passed(f"system/{name}", f"{KILLS} failures, {rounds} flushes")]


ROWS = [(f"disk-power-{driver}", f"what {driver} disks flushed is there after the power failed",
         lambda driver=driver: check(driver)) for driver in DEVICES]
