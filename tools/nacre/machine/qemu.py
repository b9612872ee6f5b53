# SPDX-License-Identifier: BSD-2-Clause
"""How a QEMU machine is described and started.

Guests run under TCG on models with AMD-V, for there is no VT-x, and under KVM that offers either
to its own. COM1 is a connection that QEMU opens to us, as with Bochs.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess

from nacre.machine import machine_clock, network
from nacre.machine.disks import NO_DISKS, Disks, qemu_options
from nacre.report import Failure

PROGRAM = "qemu-system-x86_64"
FIRMWARE_CODE = pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
FIRMWARE_VARIABLES = pathlib.Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
# With Secure Boot on, and Debian's key for tests in it, of which all know the private half.
SECURE_CODE = FIRMWARE_CODE.with_name("OVMF_CODE_4M.secboot.fd")
SECURE_VARIABLES = FIRMWARE_CODE.with_name("OVMF_VARS_4M.snakeoil.fd")
SECURE_MACHINE = ["-machine", "q35,smm=on",
                  "-global", "driver=cfi.pflash01,property=secure,value=on"]
# `outl(0xf4, v)` ends QEMU with status 2v+1; every other ending of a machine gives 0.
DEBUG_EXIT = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
RTC = ["-rtc", "base=2000-01-01,clock=vm"]
# What moves the machine's time. With the two that count instructions idle time is skipped and runs
# repeat to the instruction; "instructions" has a TSC that counts them, and "emulated" a processor
# about as fast as QEMU's work, so that waiting costs no more than by the wall clock.
CLOCKS = {
    "wall": [],
    "instructions": ["-icount", "shift=0,sleep=off", *RTC],
    "emulated": ["-icount", "shift=3,sleep=off", *RTC],
}
# Emulated AMD-V is for those who ask for it: most tests have no guest to run. Without it QEMU would
# end the extended leaves of CPUID before the CPU's name and the width of addresses.
WITHOUT_AMD_V = "max,-svm,xlevel=0x80000008"
CPU = {"tcg": WITHOUT_AMD_V, "kvm": "host"}
# QEMU has x2APIC from version 9 on; its timer registers end a machine that counts instructions.
UNCOUNTABLE = "-x2apic"
# IOMMUs by their maker, which QEMU has on its newer machine alone. With KVM the I/O APIC is QEMU's
# then: its interrupts are remapped there.
IOMMU_MACHINE = {"tcg": "q35", "kvm": "q35,kernel-irqchip=split"}
IOMMUS = {"intel": "intel-iommu,intremap=on", "amd": "amd-iommu",
          "intel-dma": "intel-iommu,intremap=off"}  # interrupts pass as they are
# How a medium that is no CD is attached.
MEDIA = {"disk": ("-device", "ide-hd"),
         "usb": ("-device", "qemu-xhci", "-device", "usb-storage")}
# The mitigations that the kernel chooses follow from the vendor.
VENDORS = {"intel": "vendor=GenuineIntel", "amd": "vendor=AuthenticAMD"}


def version():
    """The emulator's major version."""
    said = subprocess.run([PROGRAM, "--version"], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, check=True).stdout
    return int(re.search(r"version (\d+)", said).group(1))


@dataclasses.dataclass
class Settings:
    """What may differ from one QEMU machine to the next; either an ISO or a kernel is booted."""

    port: int
    iso: pathlib.Path | None = None
    medium: str = "cd"  # what the ISO is, or the image of a disk: or one of MEDIA
    kernel: pathlib.Path | None = None
    modules: tuple = ()
    arguments: str = ""
    # Names of modules that say something by that alone.
    notes: tuple = ()
    memory: int = 1024
    accelerator: str = "tcg"
    cpu: str = ""  # a model with features; else all that the accelerator has
    cores: int = 1
    vendor: str = ""  # one of VENDORS, or the accelerator's own
    firmware: str = "bios"  # or "uefi", or "secure": UEFI with Secure Boot
    clock: str = "wall"  # one of CLOCKS
    iommu: str = ""  # one of IOMMUS: the machine is another then, without disks of the kind "ide"
    # The machine ends after so many seconds of its own time; none: it runs until it is ended.
    limit: int | None = machine_clock.LIMIT
    disks: Disks = NO_DISKS
    wire: network.Network | None = None
    extra: tuple = ()


def firmware_options(directory, is_secure):
    """OVMF with a fresh copy of its variables: a used one may remember another machine's boot."""
    code, kept = ((SECURE_CODE, SECURE_VARIABLES) if is_secure else
                  (FIRMWARE_CODE, FIRMWARE_VARIABLES))
    if not code.exists() or not kept.exists():
        raise Failure(f"{code} is missing: install Debian's ovmf package")
    variables = pathlib.Path(directory) / "variables.fd"
    shutil.copyfile(kept, variables)
    return [*(SECURE_MACHINE if is_secure else []),
            "-drive", f"if=pflash,format=raw,readonly=on,file={code}",
            "-drive", f"if=pflash,format=raw,file={variables}"]


def write_notes(settings, directory):
    """A file for each note, in the directory that QEMU runs in: QEMU names a module by its path."""
    for note in settings.notes:
        (pathlib.Path(directory) / note).write_text("\n")


def boot_options(settings):
    if settings.iso:
        if settings.medium == "cd":
            return ["-cdrom", settings.iso, "-boot", "d"]
        # QEMU splits the option at commas; a doubled one stands for itself.
        path = str(settings.iso).replace(",", ",,")
        *controller, device = MEDIA[settings.medium]
        return ["-drive", f"if=none,id=medium,format=raw,file={path}", *controller,
                f"{device},drive=medium,bootindex=1"]
    options = ["-kernel", settings.kernel]
    if settings.arguments:
        options += ["-append", settings.arguments]
    if settings.modules or settings.notes:
        # QEMU splits the list at commas; a doubled one stands for itself.
        options += ["-initrd", ",".join(str(module).replace(",", ",,")
                                        for module in (*settings.modules, *settings.notes))]
    return options


def cpu_model(settings):
    features = [VENDORS.get(settings.vendor), settings.clock != "wall" and UNCOUNTABLE]
    return ",".join([settings.cpu or CPU[settings.accelerator], *filter(None, features)])


def prepare(settings, directory):
    """The command that starts the machine; files it needs go into the directory."""
    command = [PROGRAM, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
               "-vga", "std", "-monitor", "none", "-m", settings.memory,
               "-accel", settings.accelerator, "-cpu", cpu_model(settings), "-smp", settings.cores,
               "-chardev", f"socket,id=com1,host=127.0.0.1,port={settings.port},nodelay=on",
               "-serial", "chardev:com1", "-debugcon", "file:e9.log", *DEBUG_EXIT]
    if settings.firmware != "bios":
        command += firmware_options(directory, settings.firmware == "secure")
    if settings.iommu:
        # Before other devices, of which it has to know.
        command += ["-machine", IOMMU_MACHINE[settings.accelerator],
                    "-device", IOMMUS[settings.iommu]]
    command += CLOCKS[settings.clock]
    if settings.limit:
        command += machine_clock.options(settings.port)
    write_notes(settings, directory)
    command += network.qemu_options(settings.wire) + boot_options(settings)
    command += qemu_options(settings.disks, settings.iommu) + list(settings.extra)
    return [str(word) for word in command]


def ending(status):
    """Why the machine stopped: None for a power-off or a debug exit of 0, else one line."""
    if status in (0, 1):
        return None
    if status is not None and status > 0 and status % 2 == 1:
        return f"the machine ended itself with code {status // 2}"
    return f"QEMU ended with status {status}"
