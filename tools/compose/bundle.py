# SPDX-License-Identifier: BSD-2-Clause
"""Initial task and system image in one ELF, for boot loaders that are given a single module."""
import struct

from compose import model
from compose.elf import ElfError, Program

SYMBOL = "system_bundle"


def bundle(initial_task, image):
    """The initial task's ELF with the image as one more segment after its others."""
    program = Program(initial_task)
    last = program.segments[-1]
    start = -(-last.end() // model.PAGE) * model.PAGE
    program.patch(SYMBOL, struct.pack("<QQ", start, len(image)))
    parts = [(s.vaddr, bytes(s.data), s.memory_size, 4 | 2 * s.writable | s.executable)
             for s in program.segments]
    parts.append((start, image, len(image), 4))
    return _executable(program.entry, parts)


def _executable(entry, parts):
    """A static executable of these (address, bytes, memory size, flags)."""
    header_size = 64 + 56 * len(parts)
    headers, body = b"", b""
    offset = -(-header_size // model.PAGE) * model.PAGE
    for vaddr, data, memory_size, flags in parts:
        place = offset + len(body)
        lead = (vaddr - place) % model.PAGE
        body += bytes(lead) + data
        headers += struct.pack("<IIQQQQQQ", 1, flags, place + lead, vaddr, vaddr, len(data),
                               memory_size, model.PAGE)
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, entry, 64, 0, 0, 64,
                       56, len(parts), 64, 0, 0)
    return (head + headers).ljust(offset, b"\0") + body


def as_elf32(kernel):
    """The same kernel in a 32-bit container, which is what QEMU's -kernel takes. Contents stay
    where they are in the file; the smaller headers fit into the place of the larger ones."""
    if len(kernel) < 64 or kernel[:5] != b"\x7fELF\x02":
        raise ElfError("needs a kernel that is a 64-bit ELF file")
    entry, offset = struct.unpack_from("<QQ", kernel, 24)
    count = struct.unpack_from("<H", kernel, 56)[0]
    result = bytearray(kernel)
    for index in range(count):
        kind, flags, place, _, paddr, file_size, memory_size, align = struct.unpack_from(
            "<IIQQQQQQ", kernel, offset + index * 56
        )
        header = struct.pack("<8I", kind, place, paddr & 0xFFFFFFFF, paddr & 0xFFFFFFFF,
                             file_size, memory_size, flags, align)
        result[offset + index * 32 : offset + index * 32 + 32] = header
    result[:52] = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1, entry, offset,
                              0, 0, 52, 32, count, 40, 0, 0)
    return bytes(result)
