# SPDX-License-Identifier: BSD-2-Clause
"""The demo guest's root file system: Debian's static busybox, an init script, shell settings, and
the drivers of virtio devices.

It stays uncompressed: the guest then copies it instead of inflating it, which costs the fewest
instructions between reset and the shell prompt.
"""

from compose import output
from nacre import places
from nacre.pack import cpio, debs
from nacre.report import Failure, step, warn

SOURCES = ("init", "shrc")


def contents(busybox, modules):
    """The archive's bytes, given busybox's and those of modules of the kernel, by name."""
    archive = cpio.Archive()
    for directory in ("bin", "dev", "etc", "lib", "proc", "root", "sys", "tmp"):
        archive.add_directory(directory)
    archive.add_device("dev/console", 5, 1)
    archive.add_device("dev/null", 1, 3)
    archive.add_file("bin/busybox", busybox, 0o755)
    archive.add_link("bin/sh", "busybox")
    archive.add_file("etc/shrc", (places.GUEST_CONFIG / "shrc").read_bytes())
    for name, data in modules.items():
        archive.add_file(f"lib/{name}.ko", data)
    archive.add_file("init", (places.GUEST_CONFIG / "init").read_bytes(), 0o755)
    return archive.finish()


def modules_of_kernel():
    """None of a kernel of one's own, or of one that the archive has no longer."""
    try:
        return debs.ensure_modules()
    except Failure as failure:
        warn(f"the guest's initramfs has no drivers for virtio devices: {failure}")
        return {}


def is_current(target):
    if not target.exists():
        return False
    sources = [places.GUEST_CONFIG / name for name in SOURCES]
    sources += [debs.BUSYBOX.target, debs.KERNEL.target,
                *(places.ROOT / "tools/nacre/pack" / name for name in ("initramfs.py", "debs.py"))]
    newest = max(source.stat().st_mtime for source in sources if source.exists())
    return target.stat().st_mtime >= newest


def ensure():
    """Makes build/guest/initramfs.cpio unless it is there and newer than what it is made of."""
    busybox = debs.BUSYBOX.ensure()
    target = places.GUEST_INITRAMFS
    if is_current(target):
        return target
    step("packing the guest's initramfs")
    output.write(target, contents(busybox.read_bytes(), modules_of_kernel()))
    return target
