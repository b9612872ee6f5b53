# SPDX-License-Identifier: BSD-2-Clause
"""Disks whose power may fail. QEMU logs each write and flush (blklogwrites, in the format of Linux'
dm-log-writes). A disk that loses its power may lose all that was written after its last flush, any
part of it: so what it has is made of the log, and nothing is taken from what happens to be in the
file, which the host keeps when QEMU is killed."""

import struct

from nacre.machine import disks

SECTOR = 512
# Of a log: magic number, version, entries, size of a sector; of an entry: sector, sectors, flags,
# bytes of data that are not sectors. Each begins at a sector, its data at the next.
MAGIC = 0x6a736677736872
HEADER, ENTRY = struct.Struct("<QQQI"), struct.Struct("<QQQQ")
FLUSH, DISCARD = 1, 4


def options(driver, disk, log, lies=False):
    """QEMU's, for a disk of that driver's kind. One that lies answers flushes and makes none."""
    log.write_bytes(b"")
    return ("-blockdev", "driver=blklogwrites,node-name=logged,"
            f"cache.no-flush={'on' if lies else 'off'},"
            f"file.driver=file,file.filename={disk},log.driver=file,log.filename={log},"
            "log-super-update-interval=1", *disks.qemu_device(driver, "logged"))


def _entries(log):
    """(offset, data, flags) of each write and flush, in their order."""
    if not any(log[:SECTOR]):
        return  # there was none
    magic, _, entries, size = HEADER.unpack_from(log)
    if magic != MAGIC or size != SECTOR:
        raise ValueError("QEMU's log of writes has another format")
    place = SECTOR
    for _ in range(entries):
        sector, count, flags, _ = ENTRY.unpack_from(log, place)
        place += SECTOR
        data = b""
        if not flags & DISCARD:
            data = log[place:place + count * SECTOR]
            place += count * SECTOR
        yield sector * SECTOR, data, flags


def _some_sectors(writes, chance):
    for offset, data in writes:
        for start in range(0, len(data), SECTOR):
            if chance.random() < 0.5:
                yield offset + start, data[start:start + SECTOR]


def surviving(log, disk, chance=None):
    """`disk`, what was on it at the start, with what was written before its last flush; with
    `chance` also with some of the sectors that were written later."""
    disk, waiting = bytearray(disk), []

    def write(writes):
        for offset, data in writes:
            disk[offset:offset + len(data)] = data

    for offset, data, flags in _entries(log):
        if data:
            waiting.append((offset, data))
        if flags & FLUSH:
            write(waiting)
            waiting = []
    if chance:
        write(_some_sectors(waiting, chance))
    return bytes(disk)
