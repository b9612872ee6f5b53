# SPDX-License-Identifier: BSD-2-Clause
"""Unpacks an archive of installed packages, as a program of its own: by fakeroot, if need be.

Extended attributes, as the capabilities of ping, are set when all files are there: where tar sets
them, fakeroot forgets what kind of file it was.
"""

import os
import pathlib
import subprocess
import sys
import tarfile

# Of headers in the archive (pax, as GNU tar reads it).
ATTRIBUTE = "SCHILY.xattr."


def attributes(archive):
    """(name of the file, attribute, value) of each that the archive has."""
    with tarfile.open(archive) as members:
        for member in members:
            for key, value in member.pax_headers.items():
                if key.startswith(ATTRIBUTE):
                    yield (member.name, key.removeprefix(ATTRIBUTE),
                           value.encode("utf-8", "surrogateescape"))


def unpack(archive, folder):
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", folder,
                    "--numeric-owner"], check=True)
    for name, attribute, value in attributes(archive):
        os.setxattr(pathlib.Path(folder) / name, attribute, value, follow_symlinks=False)


if __name__ == "__main__":
    unpack(*sys.argv[1:])
