# SPDX-License-Identifier: BSD-2-Clause
"""Takes single files out of Debian packages without installing the packages.

busybox-static would push out a machine's own busybox, a guest kernel has no business in the host's
/boot, and a memory test none in its boot menu; so they are downloaded, unpacked and kept under
build/guest/.
"""

import dataclasses
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable

from compose import output
from nacre import packages, places
from nacre.pack import bzimage
from nacre.report import Failure, step

XZ = b"\xfd7zXZ\0"
BUILT_IN = "modules.builtin"


@dataclasses.dataclass(frozen=True)
class Source:
    """An apt: the options by which it is another than the host's, and how its lists are fetched."""

    options: tuple = ()
    update: Callable = packages.update_lists


HOST = Source()


def package_field(name, field, source=HOST):
    """One field of the package as apt knows it, or None."""
    if not shutil.which("apt-cache"):
        raise Failure(f"there is no apt here to fetch {name} with: Debian's tools are needed, or "
                      f"files of your own in {places.shown(places.GUEST)} (vmlinuz, busybox)")
    result = subprocess.run(["apt-cache", *source.options, "--no-all-versions", "show", name],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            check=False)
    match = re.search(rf"^{field}: (.*)$", result.stdout, re.MULTILINE)
    return match.group(1) if match else None


def package_of(kernel, source=HOST):
    """The package with the real kernel that one like linux-image-amd64 depends on, or None."""
    depends = package_field(kernel, "Depends", source)
    if depends is None:
        source.update()
        depends = package_field(kernel, "Depends", source) or ""
    match = re.search(r"\blinux-image-[0-9][^\s,(|]*", depends)
    return match.group(0) if match else None


def kernel_package():
    """That of the guest's kernel."""
    name = package_of("linux-image-amd64")
    if not name:
        raise Failure("apt knows no linux-image-amd64: put a Linux bzImage at "
                      f"{places.shown(places.GUEST_KERNEL)} and try again")
    return name


def download(name, directory, source=HOST):
    """Downloads one package into the directory and returns the file's path."""
    command = ["apt-get", "-q", *source.options, "download", name]
    if os.geteuid() == 0:
        # The unprivileged download user cannot write into a directory of root's.
        command += ["-o", "APT::Sandbox::User=root"]
    result = packages.run_apt(command, cwd=directory)
    found = list(pathlib.Path(directory).glob("*.deb"))
    if result.returncode != 0 or not found:
        raise Failure(f"`apt-get download {name}` failed; {packages.apt_reason(result.stdout)}\n"
                      f"    {result.stdout.strip()}")
    return found[0]


def found_members(package, patterns):
    """The bytes of the first regular file in the package whose path matches, for each pattern that
    has one."""
    found = {}
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)],
                               stdout=subprocess.PIPE)
    with process, tarfile.open(fileobj=process.stdout, mode="r|") as archive:
        for member in archive:
            fits = [pattern for pattern in patterns
                    if member.isfile() and re.fullmatch(pattern, member.name)]
            for pattern in fits:
                found.setdefault(pattern, archive.extractfile(member).read())
            if len(found) == len(patterns):
                process.kill()
                break
    return found


def taken(name, needed, wanted=(), renamed=None, source=HOST):
    """Members of the package, by their patterns: those that are needed, and what there is of those
    that are wanted. `renamed` gives the package's name after an update of the lists."""
    step(f"downloading {name}")
    places.GUEST.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.GUEST) as directory:
        try:
            package = download(name, directory, source)
        except Failure:
            # Lists older than the archive name versions that it has dropped.
            source.update()
            package = download(renamed() if renamed else name, directory, source)
        found = found_members(package, [*needed, *wanted])
    for pattern in needed:
        if pattern not in found:
            raise Failure(f"{name}: no file matches {pattern}; is the package damaged?")
    return found


class Taken:
    """A file kept in build/guest/ that comes out of a package, and what else of the package is
    wanted."""

    def __init__(self, target, find_package, pattern, wanted=(), keep=None):
        """`keep(file, found)` is given the file's bytes, and all members by their patterns."""
        self.target = target
        self.find_package = find_package
        self.pattern = pattern
        self.wanted = wanted
        self.keep = keep

    def ensure(self):
        """Fetches the file unless it is there already."""
        if self.target.exists():
            return self.target
        name = self.find_package()
        if package_field(name, "Filename") is None:
            packages.update_lists()
        found = taken(name, [self.pattern], self.wanted, self.find_package)
        if self.keep:
            self.keep(found[self.pattern], found)
        output.write(self.target, found[self.pattern])
        return self.target


# Modules of the guest's kernel, in the order in which they need each other: the drivers of devices,
# which its init loads if the devices are there; and those of the port for panics and of the power
# button, which are loaded by hand.
BY_HAND = ("pvpanic", "pvpanic-mmio", "evdev", "button")
# A disk that a guest drives itself.
NVME = ("crct10dif_common", "crc-t10dif", "crc64", "crc64-rocksoft", "t10-pi", "nvme-core", "nvme")
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
           "virtio_blk", "failover", "net_failover", "virtio_net", "virtio-rng", "virtio_console",
           "watchdog", "i6300esb", *NVME, *BY_HAND)
# Those of its file system, which tests load.
EXT4 = ("crc16", "libcrc32c", "crc32c_generic", "mbcache", "jbd2", "ext4")
# Later releases of Debian compress them.
MODULE_PATTERNS = {name: rf"\./(usr/)?lib/modules/.*/{name}\.ko(\.xz)?"
                   for name in (*MODULES, *EXT4)}
BUILT_IN_PATTERN = r"\./(usr/)?lib/modules/[^/]*/modules\.builtin"


def module_folder(kernel):
    return places.GUEST / "modules" / bzimage.release(kernel)


def keep_modules(kernel, found):
    """Writes those of the modules that are files, and the list of those built into the kernel."""
    folder = module_folder(kernel)
    folder.mkdir(parents=True, exist_ok=True)
    for name, pattern in MODULE_PATTERNS.items():
        if pattern in found:
            data = found[pattern]
            plain = lzma.decompress(data) if data.startswith(XZ) else data
            output.write(folder / f"{name}.ko", plain)
    output.write(folder / BUILT_IN, found.get(BUILT_IN_PATTERN, b""))


def lost_modules(folder, names):
    """Those of the modules that are neither files there nor built into the kernel."""
    path = folder / BUILT_IN
    lines = path.read_text().split() if path.exists() else ()
    built_in = {pathlib.PurePath(line).stem.replace("-", "_") for line in lines}
    return [name for name in names if not (folder / f"{name}.ko").exists()
            and name.replace("-", "_") not in built_in]


def ensure_modules(names=MODULES):
    """Modules of the guest's kernel, by name, as files that it loads; kept in build/guest/. Those
    that are part of the kernel itself are left out."""
    kernel = KERNEL.ensure().read_bytes()
    folder = module_folder(kernel)
    if lost_modules(folder, names):
        keep_modules(kernel, taken(f"linux-image-{folder.name}", (), OF_MODULES))
    lost = lost_modules(folder, names)
    if lost:
        raise Failure(f"the guest's kernel, {folder.name}, has no module {lost[0]}")
    return {name: (folder / f"{name}.ko").read_bytes() for name in names
            if (folder / f"{name}.ko").exists()}


OF_MODULES = (*MODULE_PATTERNS.values(), BUILT_IN_PATTERN)
KERNEL = Taken(places.GUEST_KERNEL, kernel_package, r"\./boot/vmlinuz-.*", OF_MODULES, keep_modules)
# Of Debian 12 and of later releases; one file for BIOS and UEFI. Its licence is GPL-2.
MEMORY_TEST = Taken(places.GUEST / "memtest86+", lambda: "memtest86+",
                    r"\./boot/(memtest86\+x64\.efi|mt86\+x64)")
BUSYBOX = Taken(places.GUEST / "busybox", lambda: "busybox-static", r"\./(usr/)?bin/busybox")
