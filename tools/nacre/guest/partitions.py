# SPDX-License-Identifier: BSD-2-Clause
"""Partition tables of disk images: reads GPT (UEFI 2.10, chapter 5) and MBR, writes a GPT.

Sectors have 512 bytes. Nothing in a table is believed before it was checked.
"""

import dataclasses
import os
import struct
import uuid
import zlib

from nacre.report import Failure

SECTOR = 512
# Other formats of disk images, by their first bytes.
FORMATS = {b"QFI\xfb": "qcow2", b"KDMV": "VMDK", b"vhdxfile": "VHDX", b"conectix": "VHD"}
MBR_SIGNATURE = b"\x55\xaa"
MBR_FIRST, MBR_ENTRY, MBR_ENTRIES = 446, 16, 4
MBR_DISK = 440  # the disk's number, by which Linux names partitions
MBR_PROTECTIVE, MBR_EXTENDED = 0xee, (0x05, 0x0f, 0x85)
LOGICAL_FIRST, LOGICAL_MOST = 5, 60

GPT_SIGNATURE = b"EFI PART"
GPT_REVISION = 0x10000
# Signature, revision, size, CRC, reserved, this header, the other one, first and last sector for
# partitions, disk, first sector of the entries, their number and size, their CRC.
GPT_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
GPT_ENTRY = struct.Struct("<16s16sQQQ72s")
GPT_ENTRIES = 128
GPT_ENTRIES_MOST = 1 << 20  # bytes
GPT_TABLE_SECTORS = GPT_ENTRIES * GPT_ENTRY.size // SECTOR
GPT_FIRST = 2 + GPT_TABLE_SECTORS  # the first sector behind both
# "Linux root (x86-64)" of the Discoverable Partitions Specification.
LINUX_ROOT = uuid.UUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")
ALIGNMENT = 1 << 20


@dataclasses.dataclass(frozen=True)
class Partition:
    """Where a partition is, in bytes. `identity` is its PARTUUID as Linux has it; a disk without a
    table is one partition without any."""

    number: int
    start: int
    size: int
    kind: str = ""
    identity: str = ""
    label: str = ""


def read_at(file, offset, size):
    """So many bytes, or fewer at the file's end."""
    file.seek(offset)
    return file.read(size)


def size_of(file):
    return file.seek(0, os.SEEK_END)


def _gpt_header(file, sector, size):
    """The header's fields if it is whole and what it says can be."""
    data = read_at(file, sector * SECTOR, SECTOR)
    if len(data) < SECTOR or not data.startswith(GPT_SIGNATURE):
        return None
    fields = GPT_HEADER.unpack_from(data)
    length, check, place, first, last = fields[2], fields[3], fields[5], fields[7], fields[8]
    table, count, entry = fields[10], fields[11], fields[12]
    if not GPT_HEADER.size <= length <= SECTOR or place != sector:
        return None
    if zlib.crc32(data[:16] + bytes(4) + data[20:length]) != check:
        return None
    if entry < GPT_ENTRY.size or entry % 8 or count * entry > GPT_ENTRIES_MOST:
        return None
    if table * SECTOR + count * entry > size:
        return None
    return fields if first <= last < size // SECTOR else None


def _gpt_entries(file, fields):
    """The entries' bytes, None if they are damaged."""
    data = read_at(file, fields[10] * SECTOR, fields[11] * fields[12])
    whole = len(data) == fields[11] * fields[12] and zlib.crc32(data) == fields[13]
    return data if whole else None


def _gpt_partitions(fields, data):
    found = []
    for index in range(fields[11]):
        kind, identity, first, last, _, name = GPT_ENTRY.unpack_from(data, index * fields[12])
        if not any(kind) or not fields[7] <= first <= last <= fields[8]:
            continue
        label = name.decode("utf-16-le", errors="replace").partition("\0")[0]
        found.append(Partition(index + 1, first * SECTOR, (last - first + 1) * SECTOR,
                               str(uuid.UUID(bytes_le=kind)), str(uuid.UUID(bytes_le=identity)),
                               label))
    return found


def _gpt(file, size):
    """Of the first copy of the table that is whole, None if there is none."""
    for sector in (1, size // SECTOR - 1):
        fields = _gpt_header(file, sector, size)
        data = fields and _gpt_entries(file, fields)
        if data is not None:
            return _gpt_partitions(fields, data)
    return None


def _mbr_entries(data):
    """(type, first sector, sectors) of each entry."""
    return [struct.unpack_from("<4xB3xII", data, MBR_FIRST + MBR_ENTRY * index)
            for index in range(MBR_ENTRIES)]


def _mbr_logical(file, start):
    """(type, first sector, sectors) of the partitions in an extended one: a chain of tables."""
    place = start
    for _ in range(LOGICAL_MOST):
        data = read_at(file, place * SECTOR, SECTOR)
        if len(data) < SECTOR or data[-2:] != MBR_SIGNATURE:
            return
        (kind, first, count), (link, offset, _), *_ = _mbr_entries(data)
        yield kind, place + first, count
        if link not in MBR_EXTENDED or offset == 0:
            return
        place = start + offset


def _mbr(file, data, size):
    disk, = struct.unpack_from("<I", data, MBR_DISK)
    primary = list(enumerate(_mbr_entries(data), 1))
    logical = [entry for _, (kind, first, _) in primary if kind in MBR_EXTENDED
               for entry in _mbr_logical(file, first)]
    entries = [row for row in primary if row[1][0] not in (0, *MBR_EXTENDED)]
    entries += enumerate(logical, LOGICAL_FIRST)
    return [Partition(number, first * SECTOR, count * SECTOR, f"0x{kind:02x}",
                      f"{disk:08x}-{number:02x}")
            for number, (kind, first, count) in entries
            if kind and count and (first + count) * SECTOR <= size]


def read(file, name):
    """The partitions of a disk image; the whole disk where it has no table."""
    size = size_of(file)
    data = read_at(file, 0, SECTOR)
    if len(data) < SECTOR:
        raise Failure(f"{name}: is no disk image: it has {size} bytes")
    kind = next((kind for start, kind in FORMATS.items() if data.startswith(start)), None)
    if kind:
        raise Failure(f"{name}: is a {kind} image: convert it: qemu-img convert -O raw {name} "
                      "disk.raw")
    found = _gpt(file, size)
    if found is not None:
        return found
    if data[-2:] != MBR_SIGNATURE:
        return [Partition(0, 0, size)]
    if any(kind == MBR_PROTECTIVE for kind, _, _ in _mbr_entries(data)):
        raise Failure(f"{name}: both copies of its partition table (GPT) are damaged")
    return _mbr(file, data, size)


def _protective(sectors):
    """The first sector: says to programs that do not know GPT that the disk is full."""
    count = min(sectors - 1, 0xffffffff)
    entry = struct.pack("<B3sB3sII", 0, b"\0\2\0", MBR_PROTECTIVE, b"\xff\xff\xff", 1, count)
    return entry.rjust(MBR_FIRST + MBR_ENTRY, b"\0").ljust(SECTOR - 2, b"\0") + MBR_SIGNATURE


def _header(here, other, table, last, disk, check):
    def packed(own):
        return GPT_HEADER.pack(GPT_SIGNATURE, GPT_REVISION, GPT_HEADER.size, own, 0, here, other,
                               GPT_FIRST, last, disk.bytes_le, table, GPT_ENTRIES,
                               GPT_ENTRY.size, check)
    return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")


def root_partition(size):
    """Where the only partition of an image of that size is."""
    end = (size // SECTOR - 1 - GPT_TABLE_SECTORS) * SECTOR // ALIGNMENT * ALIGNMENT
    return Partition(1, ALIGNMENT, end - ALIGNMENT, str(LINUX_ROOT), str(uuid.uuid4()), "root")


def _entry(partition):
    first = partition.start // SECTOR
    return GPT_ENTRY.pack(
        uuid.UUID(partition.kind).bytes_le, uuid.UUID(partition.identity).bytes_le, first,
        first + partition.size // SECTOR - 1, 0, partition.label.encode("utf-16-le"))


def write_gpt(file, size, *found):
    """Writes a table with the partitions, numbered from 1, and its copy at the end."""
    sectors, disk = size // SECTOR, uuid.uuid4()
    entries = b"".join(map(_entry, found)).ljust(GPT_ENTRIES * GPT_ENTRY.size, b"\0")
    check = zlib.crc32(entries)
    last = sectors - 2 - GPT_TABLE_SECTORS
    for offset, data in (
            (0, _protective(sectors)),
            (1, _header(1, sectors - 1, 2, last, disk, check)), (2, entries),
            (last + 1, entries),
            (sectors - 1, _header(sectors - 1, 1, last + 1, last, disk, check))):
        file.seek(offset * SECTOR)
        file.write(data)
