# SPDX-License-Identifier: BSD-2-Clause
"""A Linux kernel inflated beforehand. Debian's spends two thirds of an emulated boot inflating
itself; what runs after that is the same to the bit.

The result is a bzImage again, with the setup header of the original: its 64-bit entry is the
kernel's own first instruction, where the original's inflater jumps to at the end.
"""

import lzma
import struct

from nacre.report import Failure

SECTOR = 512
ENTRY = 0x200  # of the 64-bit entry, in the part after the setup sectors
XZ = b"\xfd7zXZ\0"
LOAD = 1  # a segment's type

# Offsets in the setup header (Documentation/arch/x86/boot.rst).
SETUP_SECTORS, SYSTEM_SIZE, PAYLOAD, PREFERRED_ADDRESS = 0x1f1, 0x1f4, 0x248, 0x258


def release(image):
    """What `uname -r` says in it; 20eh of the header leads there (boot protocol 2.00)."""
    place = 0x200 + struct.unpack_from("<H", image, 0x20e)[0]
    return image[place:].split(b"\0", 1)[0].split(b" ", 1)[0].decode(errors="replace")


def payload(image):
    """(bytes of the setup sectors, what is packed behind them)."""
    setup = (image[SETUP_SECTORS] + 1) * SECTOR
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    return setup, image[setup + offset:setup + offset + length]


def flat(elf):
    """(address, bytes) of a kernel's segments, laid out as in memory without the zeros at its
    end."""
    table, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    segments = [struct.unpack_from("<IIQQQQ", elf, table + size * i) for i in range(count)]
    segments = [(address, elf[offset:offset + length])
                for kind, _, offset, _, address, length in segments if kind == LOAD]
    start = min(address for address, _ in segments)
    memory = bytearray(max(address + len(data) for address, data in segments) - start)
    for address, data in segments:
        memory[address - start:address - start + len(data)] = data
    return start, bytes(memory).rstrip(b"\0")


def inflated(image):
    """The bzImage inflated, or as it is if it is packed in another way than by XZ."""
    setup, packed = payload(image)
    if not packed.startswith(XZ):
        return image
    # The size of the stream follows it.
    elf = lzma.LZMADecompressor().decompress(packed)
    entry, = struct.unpack_from("<Q", elf, 24)
    start, memory = flat(elf)
    if entry != start:
        raise Failure("the kernel does not begin with its entry")
    system = bytes(ENTRY) + memory
    system += bytes(-len(system) % 16)
    header = bytearray(image[:setup])
    struct.pack_into("<I", header, SYSTEM_SIZE, len(system) // 16)
    struct.pack_into("<Q", header, PREFERRED_ADDRESS, start - ENTRY)
    return bytes(header) + system
