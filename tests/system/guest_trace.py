# SPDX-License-Identifier: BSD-2-Clause
"""The same guest makes the same sequence of accesses to its devices by VT-x, in Bochs, and by
AMD-V, in QEMU: Debian's kernel from its entry to power-off."""

from nacre import places
from nacre.machine import emulator, machine
from nacre.pack import cpio
from nacre.test import device_trace
from nacre.test.system_tests import inflated_kernel

SECONDS = 900
# What the kernel prints is not to depend on time or on the CPU's vulnerabilities; nor is it to
# search PCI early for parts of an AMD CPU. Self-tests of ciphers are half the boot.
COMMAND_LINE = ("console=ttyS0 quiet panic=-1 printk.time=0 mitigations=off pci=noearly "
                "cryptomgr.notests=1")
# On AMD's older CPUs, of which QEMU's is one, it searches there in spite of that.
AMD_CPU = "max,family=23"


def initramfs():
    """The demo's with another first program: of two files of one name Linux keeps the later."""
    archive = cpio.Archive()
    archive.add_file("init", (device_trace.FOLDER / "init").read_bytes(), 0o755)
    return places.GUEST_INITRAMFS.read_bytes() + archive.finish()


def trace_of(name, start):
    return device_trace.run(name, start, {
        places.GUEST_KERNEL.name: inflated_kernel(),
        places.GUEST_INITRAMFS.name: initramfs(),
        places.GUEST_COMMAND_LINE.name: COMMAND_LINE.encode()},
        [("until", "the end"), ("until", "powered off")])


def check():
    found, by_svm = trace_of("guest-trace-svm", lambda iso: machine.QemuMachine(
        iso=iso, memory=emulator.MEMORY, clock="emulated", limit=SECONDS, cpu=AMD_CPU))
    more, by_vtx = trace_of("guest-trace-vtx", lambda iso: machine.BochsMachine(
        iso=iso, memory=emulator.MEMORY, limit=SECONDS))
    found += more
    if by_vtx and by_svm:
        found.append(device_trace.judged("guest-trace", by_vtx, by_svm))
    return found


ROWS = [("guest-trace", "a guest makes the same accesses to its devices, in the same order and "
         "with the same values, by VT-x and by AMD-V", check)]
