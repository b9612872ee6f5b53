# SPDX-License-Identifier: BSD-2-Clause
"""Writes a "newc" cpio archive, the form a Linux initramfs has, the same bytes on every run.

Device nodes need no root here because they are only records in the archive.
"""

import stat

TRAILER = "TRAILER!!!"


def _padded(data):
    return data + bytes(-len(data) % 4)


class Archive:
    """Entries in the order they are added; owner root, time 0, inode numbers counted from 1."""

    def __init__(self):
        self._parts = []
        self._count = 0

    def _add(self, path, mode, data=b"", device=(0, 0)):
        self._count += 1
        name = path.encode() + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        numbers = (self._count, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(name), 0)
        header = b"070701" + b"".join(b"%08x" % number for number in numbers)
        self._parts.append(_padded(header + name) + _padded(data))

    def add_directory(self, path):
        self._add(path, stat.S_IFDIR | 0o755)

    def add_file(self, path, data, mode=0o644):
        self._add(path, stat.S_IFREG | mode, data)

    def add_link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def add_device(self, path, major, minor):
        self._add(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def finish(self):
        """The whole archive; nothing may be added afterwards."""
        self._add(TRAILER, 0)
        data = b"".join(self._parts)
        return data + bytes(-len(data) % 512)
