# SPDX-License-Identifier: BSD-2-Clause
"""A kernel inflated beforehand starts as its inflater would start it."""

import lzma
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre.pack import bzimage  # noqa: E402
from nacre.report import Failure  # noqa: E402

START = 0x1000000
SETUP = 2 * bzimage.SECTOR


def elf(entry=START):
    """Two segments with a gap between them and zeros at the end, behind them a note."""
    segments = [(1, START, b"first"), (1, START + 0x1000, b"second" + bytes(100)), (4, 0, b"note")]
    data = 64 + 56 * len(segments)
    table = b""
    for kind, address, content in segments:
        table += struct.pack("<IIQQQQQQ", kind, 0, data, 0, address, len(content), len(content), 1)
        data += len(content)
    header = struct.pack("<24xQQ14xHH6x", entry, 64, 56, len(segments))
    return header + table + b"".join(content for _, _, content in segments)


def image(packed):
    """A bzImage with one setup sector, whose header continues in the second, and an inflater."""
    setup = bytearray(range(256)) * 4
    setup[bzimage.SETUP_SECTORS] = SETUP // bzimage.SECTOR - 1
    inflater = b"inflater"
    struct.pack_into("<II", setup, bzimage.PAYLOAD, len(inflater), len(packed))
    return bytes(setup) + inflater + packed + b"behind"


class BzimageTest(unittest.TestCase):
    def test_the_entry_is_the_kernels_first_instruction(self):
        original = image(lzma.compress(elf()) + struct.pack("<I", len(elf())))
        made = bzimage.inflated(original)
        paragraphs, = struct.unpack_from("<I", made, bzimage.SYSTEM_SIZE)
        address, = struct.unpack_from("<Q", made, bzimage.PREFERRED_ADDRESS)
        system = made[SETUP:]
        self.assertEqual(address + bzimage.ENTRY, START)
        self.assertEqual(len(system), 16 * paragraphs)
        memory = system[bzimage.ENTRY:].rstrip(b"\0")
        self.assertEqual(memory, b"first" + bytes(0x1000 - 5) + b"second")
        changed = {i for i in range(SETUP) if made[i] != original[i]}
        self.assertLessEqual(changed, {*range(bzimage.SYSTEM_SIZE, bzimage.SYSTEM_SIZE + 4),
                                       *range(bzimage.PREFERRED_ADDRESS,
                                              bzimage.PREFERRED_ADDRESS + 8)})

    def test_what_is_packed_otherwise_stays_as_it_is(self):
        original = image(b"\x28\xb5\x2f\xfd and so on")
        self.assertEqual(bzimage.inflated(original), original)

    def test_a_kernel_that_begins_elsewhere_is_refused(self):
        with self.assertRaises(Failure):
            bzimage.inflated(image(lzma.compress(elf(START + 64))))


if __name__ == "__main__":
    unittest.main()
