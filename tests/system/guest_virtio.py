# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel uses a guest's disks, network and ports of its console, in QEMU by AMD-V."""

from nacre import places
from nacre.machine import emulator, machine
from nacre.test import results
from nacre.test.system_tests import inflated_kernel, judge, replaced_iso, system_iso

SECONDS = 900
PROMPT = "nacre-guest# "
GUEST = '''<system>
<switch name="lan"/>
<protection_domain name="host" program="echo.elf" priority="150">
<settings text="ip 10.0.2.15"/><network switch="lan" id="1"/>
</protection_domain>
<virtual_machine name="linux" memory="256M" kernel="vmlinuz" initrd="initramfs.cpio"
cmdline="console=ttyS0 panic=-1">
<disk size="16M"/><disk size="1M" read_only="true"/><network switch="lan"/>
</virtual_machine>
</system>'''
# Written in large requests, read back in small ones after the guest has forgotten it.
DISK = ("head -c 4000000 /dev/urandom >/tmp/a; dd if=/tmp/a of=/dev/vda bs=1M conv=fsync; "
        "echo 3 >/proc/sys/vm/drop_caches; head -c 4000000 /dev/vda | cmp - /tmp/a; echo same-$?")
READ_ONLY = "dd if=/dev/zero of=/dev/vdb bs=4k count=1 conv=fsync; echo refused-$?"
NET = "ifconfig eth0 10.0.2.20 up; ping -c 5 -s 1400 10.0.2.15"
STEPS = [("until", PROMPT),
         ("send", "cat /sys/block/vda/serial /sys/block/vda/size"), ("until", "disk0"),
         ("until", "32768"), ("until", PROMPT),
         ("send", DISK), ("until", "same-0"), ("until", PROMPT),
         ("send", READ_ONLY), ("until", "refused-1"), ("until", PROMPT),
         ("send", NET), ("until", "5 packets received"), ("until", PROMPT)]


def check():
    """Twice: the devices are as new when the guest has booted again."""
    name = "guest-virtio-svm"
    running = machine.QemuMachine(iso=system_iso(name, GUEST), memory=emulator.MEMORY,
                                  limit=SECONDS, cpu="max")
    found, text = judge(name, running, [
        *STEPS, ("send", "reboot -f"), ("until", "guest resets"), *STEPS,
        ("send", "poweroff"), ("until", "powered off")])
    good = "needs a reset" not in text
    whole = f"system/{name}/unbroken"
    return found + [results.passed(whole) if good else
                    results.failed(whole, "a device needed a reset")]


PORTS = places.ROOT / "tests" / "system" / "systems" / "guest_ports" / "guest_ports.system"
# The first port is a terminal, the second may be open once at a time.
TERMINAL = ("stty -F /dev/hvc0 raw -echo; exec 3<>/dev/hvc0; echo first >&3; "
            "echo port-$(head -c 6 <&3); exec 3>&-")
PLAIN = "exec 3<>/dev/vport0p1; echo second >&3; echo port-$(head -c 7 <&3); exec 3>&-"


def check_ports():
    name = "guest-ports-svm"
    iso = replaced_iso(name, {places.GUEST_KERNEL.name: inflated_kernel()}, system=PORTS)
    running = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, limit=SECONDS, cpu="max")
    return judge(name, running, [
        ("until", PROMPT), ("send", "cat /sys/class/virtio-ports/vport0p1/name"),
        ("until", "port1"), ("until", PROMPT), ("send", TERMINAL), ("until", "port-FIRST"),
        ("until", PROMPT), ("send", PLAIN), ("until", "port-SECOND"), ("until", PROMPT)])[0]


ROWS = [
    ("guest-virtio-svm", "Debian's kernel uses a disk and a network, and again after it has "
     "booted anew", check),
    ("guest-ports-svm", "two ports of a guest's console lead to a component", check_ports),
]
