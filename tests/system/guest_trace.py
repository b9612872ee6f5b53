# SPDX-License-Identifier: BSD-2-Clause
"""The same guest makes the same sequence of accesses to its devices by VT-x, in Bochs, and by
AMD-V, in QEMU: Debian's kernel from its entry to power-off."""

from nacre import places
from nacre.machine import emulator, machine
from nacre.pack import cpio
from nacre.test import device_trace, results
from nacre.test.system_tests import inflated_kernel, judge, replaced_iso

FOLDER = places.ROOT / "tests" / "system" / "systems" / "guest_trace"
SECONDS = 900
# What the kernel prints is not to depend on time or on the CPU's vulnerabilities; nor is it to
# search PCI for AMD's bridges, which it does on an AMD CPU only. Self-tests of ciphers are half the
# boot.
COMMAND_LINE = ("console=ttyS0 quiet panic=-1 printk.time=0 mitigations=off pci=noearly "
                "cryptomgr.notests=1")
# On AMD's older CPUs Linux reads how long APIC IDs are from a register in PCI's space.
AMD_CPU = "max,family=23"


def initramfs():
    """The demo's with another first program: of two files of one name Linux keeps the later."""
    archive = cpio.Archive()
    archive.add_file("init", (FOLDER / "init").read_bytes(), 0o755)
    return places.GUEST_INITRAMFS.read_bytes() + archive.finish()


def trace_of(name, start):
    """(results, accesses) of a boot on one engine; the accesses are None if it failed."""
    iso = replaced_iso(name, {
        places.GUEST_KERNEL.name: inflated_kernel(),
        places.GUEST_INITRAMFS.name: initramfs(),
        places.GUEST_COMMAND_LINE.name: COMMAND_LINE.encode()},
        system=FOLDER / "guest_trace.system")
    found, text = judge(name, start(iso), [
        ("until", "the end"), ("until", "powered off"), ("until", device_trace.END_TEXT),
        ("until", "lost")])
    if found[0].outcome != results.PASSED:
        return found, None
    accesses, problem = device_trace.parsed(text)
    if problem:
        return [results.failed(f"system/{name}", problem)], None
    return found, accesses


def check():
    by_svm, svm = trace_of("guest-trace-svm", lambda iso: machine.QemuMachine(
        iso=iso, memory=emulator.MEMORY, clock="emulated", limit=SECONDS, cpu=AMD_CPU))
    by_vtx, vtx = trace_of("guest-trace-vtx", lambda iso: machine.BochsMachine(
        iso=iso, memory=emulator.MEMORY, limit=SECONDS))
    found = by_svm + by_vtx
    if svm and vtx:
        differs = device_trace.difference(*map(device_trace.comparable, (svm, vtx)))
        name = "system/guest-trace/equal"
        found.append(results.failed(name, f"AMD-V and VT-x: {differs}") if differs else
                     results.passed(name))
    return found


ROWS = [("guest-trace", "a guest makes the same accesses to its devices, in the same order and "
         "with the same values, by VT-x and by AMD-V", check)]
