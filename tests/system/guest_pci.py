# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel and drivers meet the guest's PCI bus and an entropy device on it, in QEMU by
AMD-V."""

from nacre.machine import emulator, machine
from nacre.test import results
from nacre.test.system_tests import judge, system_iso

SECONDS = 900
PROMPT = "nacre-guest# "
# Of 64 bytes of randomness each is 0 with a chance of one in 256: a few may be.
DIFFERENT = "head -c 64 /dev/hwrng | hexdump -ve '1/1 \"%u\\n\"' | sort -u | wc -l"
GUEST = '''<system><virtual_machine name="linux" memory="256M" kernel="vmlinuz" rng="true"
initrd="initramfs.cpio" cmdline="{}"/></system>'''
# What Linux prints about a PCI bus that it cannot use; and BARs without a place.
WARNINGS = ("config space access function", "does not support PCI", "can't assign", "no space for",
            "not reserved", "failed to assign")


def warning_results(name, text):
    for warning in WARNINGS:
        full = f"system/{name}/without-{warning.replace(' ', '-')}"
        yield results.failed(full, f"the guest printed {warning!r}") if warning in text \
            else results.passed(full)


# The device leaves the bus and is found anew; or the machine starts anew, whatever it was doing.
REPLUG = [("send", "cd /sys/bus/pci; echo 1 >devices/0000:00:01.0/remove; echo 1 >rescan; cd /"),
          ("until", PROMPT)]
REBOOT = [("send", "head -c 1000000 /dev/hwrng >/dev/null & reboot"), ("until", "guest resets"),
          ("until", PROMPT)]


def check(name, arguments, interrupt, again):
    """The driver finds the device, gets its bytes by interrupts of this kind, and does so again
    after some steps."""
    description = GUEST.format(f"console=ttyS0 panic=-1 {arguments}")
    running = machine.QemuMachine(iso=system_iso(name, description),
                                  memory=emulator.MEMORY, limit=SECONDS, cpu="max")
    used = "[ $(grep -c 'virtio0' /proc/interrupts) -gt 0 ] && grep virtio0 /proc/interrupts"
    works = [("send", f"echo bytes-$(( $({DIFFERENT}) > 32 ))"), ("until", "bytes-1"),
             ("until", PROMPT), ("send", used), ("until", interrupt), ("until", PROMPT)]
    found, text = judge(name, running, [
        ("until", "[1b36:0008]"), ("until", "[1af4:1044]"), ("until", PROMPT),
        ("send", "cat /sys/class/misc/hw_random/rng_current"), ("until", "virtio_rng.0"),
        ("until", PROMPT), *works, *again, *works,
        ("send", "poweroff"), ("until", "powered off")])
    return found + list(warning_results(name, text))


def check_messages():
    return check("guest-pci-svm", "", "PCI-MSI", REPLUG)


def check_lines():
    return check("guest-pci-lines-svm", "pci=nomsi", "17-fasteoi", REBOOT)


ROWS = [
    ("guest-pci-svm", "Debian's kernel finds the PCI bus without a warning, and an entropy device "
     "with MSI-X", check_messages),
    ("guest-pci-lines-svm", "the device works with its interrupt line, too, and after a reset",
     check_lines),
]
