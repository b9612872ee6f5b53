# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre test guests-all`: what Debian 12's archives offer for this machine, each as a guest by
AMD-V in QEMU and on the bare QEMU, with little memory and with much: both come to the same text,
and the guest prints no warning that the bare machine does not.

Those of the demo's kernel are part of every run; the others need packages.
"""

import dataclasses
import functools
import pathlib
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from xml.sax import saxutils

from nacre import build, packages, places
from nacre.guest import bookworm, boot_files, debian
from nacre.machine import disks, machine
from nacre.pack import debs, initramfs, product
from nacre.test import guest_image, guest_warnings, machine_tests, results

GROUP = "guests-all"
FOLDER = places.BUILD / "system-tests" / GROUP
CPU = "max"
# QEMU 7.2 leaves wrong flags behind CMPXCHG16B where this kernel, 6.12 for clouds, meets it: on the
# bare machine, too, it dies of that. Without the instruction it uses another.
WITHOUT_CX16 = f"{CPU},-cx16"
SECONDS = 1800
# MiB of the machine beside the guest's memory: Nacre, and the guest's files twice.
BESIDE = 512
DISK_SIZE = 2 << 30
VMLINUZ = {"vmlinuz": r"\./boot/vmlinuz-.*"}
INSTALLER = "debian-installer-12-netboot-amd64"
INSTALLER_FOLDER = r"\./usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64"
SHELL, LOGIN = "nacre-guest# ", "login: "
# The installer's first dialogue; with less than some 800 MiB it says so before.
MENU, LOW_MEMORY = "Select a language", "Low memory mode"
# MiB: the most that a guest has, and the least with which these boot on the bare machine.
MOST, LEAST, LEAST_OF_INSTALLER, LEAST_OF_IMAGE = 3072, 128, 384, 256

# Warnings that a guest may have: rows, message without numbers, why.
ALLOWED = ()
# Rows run side by side, and may want the same files.
_preparing = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Boot:
    """What a machine boots, and the text that it comes to."""

    kernel: pathlib.Path
    initrd: pathlib.Path
    until: str
    arguments: str = ""
    disk: pathlib.Path | None = None
    cpu: str = CPU


@dataclasses.dataclass(frozen=True)
class Run:
    """Why a machine did not come to its text, or None; what it said; seconds of this host."""

    why: str | None
    text: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class Row:
    """`memory` in MiB; `brief` rows are part of every test run."""

    name: str
    memory: int
    boot: Callable
    brief: bool = False

    @property
    def title(self):
        return f"{self.name}-{self.memory}"

    @property
    def sentence(self):
        return (f"{self.name} with {self.memory} MiB boots as a guest, without a warning that is "
                "not the bare machine's")


def demo():
    """The kernel of this host's archive, which is the demo's."""
    return Boot(debs.KERNEL.ensure(), initramfs.ensure(), SHELL)


def kernel(package, suite, cpu=CPU):
    return Boot(bookworm.files(package, suite, VMLINUZ)["vmlinuz"], initramfs.ensure(), SHELL,
                cpu=cpu)


def installer(until):
    found = bookworm.files(INSTALLER, bookworm.SUITE, {
        name: f"{INSTALLER_FOLDER}/{name}" for name in ("linux", "initrd.gz")})
    return Boot(found["linux"], found["initrd.gz"], until)


def image():
    """The disk image of `./nacre guest debian`, with the initial RAM disk of its own kernel."""
    file = FOLDER / "debian.img"
    want = debian.Wanted(debian.KERNELS[0], (), DISK_SIZE, "tested", ())
    debian.ensure(want, file)
    guest_image.make_patient(file)
    vmlinuz, initrd, root = boot_files.extract(file, FOLDER / "image")
    return Boot(vmlinuz, initrd, LOGIN, f" {root} ro", file)


def kernels():
    """(name, what it boots)"""
    yield "amd64", demo
    for name in ("cloud-amd64", "rt-amd64"):
        yield name, functools.partial(kernel, f"linux-image-{name}", bookworm.SUITE)
    for name, cpu in (("amd64", CPU), ("cloud-amd64", WITHOUT_CX16), ("rt-amd64", CPU)):
        yield f"backports-{name}", functools.partial(
            kernel, f"linux-image-{name}", bookworm.BACKPORTS, cpu)


def rows():
    for name, boot in kernels():
        for memory in (LEAST, MOST):
            yield Row(name, memory, boot, brief=boot is demo)
    yield Row("installer", LEAST_OF_INSTALLER, functools.partial(installer, LOW_MEMORY))
    yield Row("installer", MOST, functools.partial(installer, MENU))
    for memory in (LEAST_OF_IMAGE, MOST):
        yield Row("image", memory, image)


def arguments(boot):
    return f"{guest_warnings.CONSOLE} panic=-1{boot.arguments}"


def composed(row, boot):
    """The packed image of a system with the guest alone."""
    folder = FOLDER / row.title
    folder.mkdir(parents=True, exist_ok=True)
    words = " ".join(f"{name}={saxutils.quoteattr(str(value))}" for name, value in (
        ("memory", f"{row.memory}M"), ("kernel", boot.kernel), ("initrd", boot.initrd),
        ("cmdline", arguments(boot))))
    disk = '<disk driver="virtio"/>' if boot.disk else ""
    description = folder / "guest.system"
    description.write_text(
        f'<system><virtual_machine name="linux" {words}>{disk}</virtual_machine></system>\n')
    return product.compose(description, folder / "guest.img")


def copied(boot, target):
    """The machine's disks: a copy, since a boot writes to its disk."""
    if not boot.disk:
        return disks.NO_DISKS
    subprocess.run(["cp", "--sparse=always", boot.disk, target], check=True)
    return disks.Disks(virtio=target)


def come_to(name, boot, **settings):
    """A boot to its text."""
    disk = FOLDER / f"{name}.disk"
    # A disk's answer takes time of the host.
    clock = "wall" if boot.disk else "emulated"
    start = time.monotonic()
    try:
        with machine.QemuMachine(cpu=boot.cpu, clock=clock, limit=SECONDS,
                                 disks=copied(boot, disk), **settings) as running:
            why, text, _ = machine_tests.watch(running, f"{GROUP}-{name}", [("until", boot.until)])
            return Run(why and f"{why}\n{running.output(400)}", text, time.monotonic() - start)
    finally:
        disk.unlink(missing_ok=True)


def split(row, found):
    """(warnings, those that are allowed with the reason) of the new ones of a row."""
    left, excused = [], []
    for line in found:
        reason = next((why for titles, message, why in ALLOWED
                       if re.fullmatch(titles, row.title) and re.search(message, line)), None)
        if reason:
            excused.append(f"allowed: {line} ({reason})")
        else:
            left.append(line)
    return left, excused


def judged(row, bare, guest):
    """The result of a row's two runs."""
    full, log = f"{GROUP}/{row.title}", places.shown(places.LOGS / f"{GROUP}-{row.title}.log")
    for who, run in (("bare", bare), ("guest", guest)):
        if run.why:
            return results.failed(full, f"{who}: {run.why}", log)
    left, excused = split(row, guest_warnings.new(guest.text, bare.text))
    if left:
        return results.failed(full, "; ".join(left), log)
    counts = [f"{who} {run.seconds:.0f} s, {len(guest_warnings.warnings(run.text))}"
              for who, run in (("bare", bare), ("guest", guest))]
    return results.passed(full, "\n     ".join([f"{counts[0]} warnings; {counts[1]}", *excused]))


def check(row):
    with _preparing:
        packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
        build.compile_all()
        FOLDER.mkdir(parents=True, exist_ok=True)
        boot = row.boot()
        system = composed(row, boot)
    bare = come_to(f"{row.title}-bare", boot, kernel=boot.kernel, modules=(boot.initrd,),
                   memory=row.memory, arguments=arguments(boot))
    guest = come_to(row.title, boot, kernel=build.artefact("kernel-debug.elf32"),
                    modules=(build.artefact("root.elf"), system), memory=row.memory + BESIDE)
    shutil.rmtree(system.parent)
    return [judged(row, bare, guest)]


def is_asked_for(pattern):
    """Those that are not brief run only when they are named."""
    return pattern.startswith(GROUP)
