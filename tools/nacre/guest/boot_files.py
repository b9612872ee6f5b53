# SPDX-License-Identifier: BSD-2-Clause
"""Finds kernel and initial RAM disk in /boot of a disk image, as a boot loader would.

File systems are read by debugfs of e2fsprogs, at the partition's place in the image: nothing is
mounted, no rights are needed, and only put() writes to the image.
"""

import dataclasses
import pathlib
import re
import shutil
import stat
import struct
import subprocess
import uuid

from nacre import packages
from nacre.guest import partitions
from nacre.report import Failure, warn

NEEDS = ("e2fsprogs",)
# Of the superblock of ext2, ext3 and ext4 (Documentation/filesystems/ext4/super.rst).
SUPERBLOCK, MAGIC_AT, MAGIC, INCOMPATIBLE_AT, UUID_AT = 1024, 0x38, 0xef53, 0x60, 0x68
NEEDS_RECOVERY = 0x4
KERNEL_NAME = re.compile(r"vmlinu[xz]-([\w.+~-]+)")
# What distributions call the RAM disk of a kernel's version.
INITRD_NAMES = ("initrd.img-{}", "initramfs-{}.img", "initrd-{}", "initramfs-{}")
BZIMAGE_AT, BZIMAGE = 0x202, b"HdrS"
# What is no release of a kernel: Fedora's and Arch's spares.
SPARE = re.compile(r"rescue|fallback|\.old$")


@dataclasses.dataclass(frozen=True)
class BootFiles:
    """What an image boots from. `initrd` is empty where there is none; `root` is the argument by
    which the kernel finds its root file system."""

    version: str
    partition: partitions.Partition
    kernel: str
    initrd: str
    root: str


def tool(name):
    """Where a tool of e2fsprogs is: Debian has them in /sbin, which is not in every PATH."""
    return shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin") or name


def _debugfs(file, partition, command, *options, folder=None):
    """What debugfs prints to a command. It gets the image as an open file: any name would do for
    that, and none can be taken for an option."""
    place = f"/proc/self/fd/{file.fileno()}?offset={partition.start}"
    try:
        result = subprocess.run([tool("debugfs"), *options, "-R", command, place], cwd=folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, pass_fds=[file.fileno()], check=False)
    except FileNotFoundError as error:
        raise Failure("debugfs is not installed: Debian's package e2fsprogs has it") from error
    return result.stdout


def put(image, name, source, folder=""):
    """Writes a file of this host into the image's root file system, as FOLDER/NAME, if it is not
    there. debugfs does not say whether it has done a command."""
    partition, place, content = find(image).partition, f"{folder}/{name}", source.read_bytes()
    with image.open("r+b") as file:
        if _debugfs(file, partition, f"cat {place}") == content:
            return
        for command in (f"mkdir {folder}" if folder else "", f"rm {place}",
                        f"write {source} {place}"):
            _debugfs(file, partition, command, "-w")
        if _debugfs(file, partition, f"cat {place}") != content:
            raise Failure(f"{image}: {place} cannot be written; remove the image, and it is made "
                          "anew")


def _listed(file, partition, folder):
    """Sizes of the regular files of a folder, by their names; others have none."""
    found = {}
    # /inode/mode/uid/gid/name/size/
    for line in _debugfs(file, partition, f"ls -p {folder}").decode(errors="replace").splitlines():
        fields = line.split("/")
        if len(fields) == 8 and re.fullmatch("[0-7]+", fields[2]):
            is_file = stat.S_ISREG(int(fields[2], 8))
            found[fields[5]] = int(fields[6]) if is_file and fields[6].isdigit() else None
    return found


def _superblock(file, partition):
    """The file system's superblock if it is ext2, ext3 or ext4."""
    data = partitions.read_at(file, partition.start + SUPERBLOCK, SUPERBLOCK)
    if len(data) < SUPERBLOCK or struct.unpack_from("<H", data, MAGIC_AT) != (MAGIC,):
        return None
    return data


def _age(version):
    """How versions are ordered: their numbers as numbers. A real one is later than a spare."""
    words = re.findall(r"\d+|[a-zA-Z]+", version)
    return (not SPARE.search(version),
            [(1, int(word), "") if word.isdigit() else (0, 0, word) for word in words])


def _newest(names):
    """(kernel, its RAM disk or nothing, version): the newest, one with a RAM disk before others."""
    found = []
    for name, size in names.items():
        match = KERNEL_NAME.fullmatch(name)
        if not match or not size:
            continue
        initrd = next((form.format(match[1]) for form in INITRD_NAMES
                       if names.get(form.format(match[1]))), "")
        found.append((bool(initrd), _age(match[1]), name, initrd, match[1]))
    return max(found)[2:] if found else None


def _root_argument(found, initrd):
    """Only an initial RAM disk knows file systems by their own UUID."""
    partition, block = found
    if initrd or not partition.identity:
        return f"root=UUID={uuid.UUID(bytes=block[UUID_AT:UUID_AT + 16])}"
    return f"root=PARTUUID={partition.identity}"


def _find(file, name):
    systems = [(partition, block) for partition in partitions.read(file, name)
               if (block := _superblock(file, partition))]
    if not systems:
        raise Failure(f"{name}: has no ext2, ext3 or ext4 file system to look for a kernel in; "
                      "name kernel and initial RAM disk in the description")
    # /boot may be a partition of its own.
    for folder in ("/boot", "/"):
        for system in systems:
            newest = _newest(_listed(file, system[0], folder))
            if not newest:
                continue
            root = system if folder == "/boot" else next(
                (other for other in systems if "fstab" in _listed(file, other[0], "/etc")), None)
            if root is None:
                raise Failure(f"{name}: has a kernel on partition {system[0].number}, but no ext "
                              "file system with /etc/fstab; name kernel, initial RAM disk and "
                              "root= in the description")
            return system, folder, newest, root
    raise Failure(f"{name}: there is no vmlinuz-VERSION in /boot of its file systems; name kernel "
                  "and initial RAM disk in the description")


def find(image):
    """The newest kernel of a disk image, and what belongs to it."""
    with open(image, "rb") as file:
        (partition, block), folder, (kernel, initrd, version), root = _find(file, image)
    if struct.unpack_from("<I", block, INCOMPATIBLE_AT)[0] & NEEDS_RECOVERY:
        warn(f"{image}: its file system was not unmounted; what was written to /boot last may be "
             "missing")
    folder = folder.rstrip("/")
    return BootFiles(version, partition, f"{folder}/{kernel}", initrd and f"{folder}/{initrd}",
                     _root_argument(root, initrd))


def _extract(file, image, found, name, target):
    expected = _listed(file, found.partition, str(pathlib.PurePosixPath(name).parent)).get(
        pathlib.PurePosixPath(name).name)
    _debugfs(file, found.partition, f"dump {name} {target.name}", folder=target.parent)
    if not target.is_file() or target.stat().st_size != expected:
        raise Failure(f"{image}: {name} cannot be read; is the file system damaged?")


def extract(image, folder):
    """(kernel, initial RAM disk or None, root argument): the files copied into the folder."""
    packages.ensure(NEEDS)
    found = find(image)
    folder.mkdir(parents=True, exist_ok=True)
    kernel, initrd = folder / "vmlinuz", folder / "initrd.img"
    for target in (kernel, initrd):
        target.unlink(missing_ok=True)
    with open(image, "rb") as file:
        _extract(file, image, found, found.kernel, kernel)
        if found.initrd:
            _extract(file, image, found, found.initrd, initrd)
    with kernel.open("rb") as data:
        if partitions.read_at(data, BZIMAGE_AT, len(BZIMAGE)) != BZIMAGE:
            raise Failure(f"{image}: {found.kernel} is no kernel for a PC (bzImage)")
    return kernel, initrd if found.initrd else None, found.root
