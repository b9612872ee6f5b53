# SPDX-License-Identifier: BSD-2-Clause
"""Two of Debian's kernels send each other a file, in QEMU by AMD-V: in large packets, and through
a component that takes complete frames only."""

import hashlib

from nacre import places
from nacre.machine import emulator, machine
from nacre.test.system_tests import inflated_kernel, judge, keyboard_to, replaced_iso

SECONDS = 900
SYSTEM = places.ROOT / "tests" / "system" / "systems" / "guest_network" / "guest_network.system"
PROMPT = "nacre-guest# "
CONSOLES = (None, "left", "right")  # by their numbers
LINES = 500000
SUM = hashlib.sha256("".join(f"{i}\n" for i in range(1, LINES + 1)).encode()).hexdigest()
FULL = 1514  # bytes of a full complete frame; acknowledgements make the mean smaller


def addresses(last):
    return "; ".join(f"ifconfig eth{card} 10.0.{card + 1}.{last} netmask 255.255.255.0 up"
                     for card in range(2))


def mean(card, way):
    """Bytes of a packet, as the guest's driver has counted both."""
    folder = f"/sys/class/net/eth{card}/statistics/{way}"
    return f"$(cat {folder}_bytes) / $(cat {folder}_packets)"


def to(guest):
    return keyboard_to(CONSOLES.index(guest), guest, PROMPT)


def transfer(card):
    """From left, whose program writes in large pieces, to right, which has the keyboard then."""
    sent = mean(card, "tx")
    return [*to("right"),
            ("send", f"wget -q -O - http://10.0.{card + 1}.1/file | sha256sum"), ("until", SUM),
            ("until", PROMPT), *to("left"),
            ("send", f"echo mean $(( {sent} )), large-$(( {sent} > {FULL} ))"),
            ("until", "large-1"), ("until", PROMPT), *to("right")]


def check():
    iso = replaced_iso("guest-network-svm", {places.GUEST_KERNEL.name: inflated_kernel()},
                       system=SYSTEM)
    running = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, limit=SECONDS, cpu="max")
    return judge("guest-network-svm", running, [
        ("until", "[bridge] is there"), ("until", PROMPT), *to("left"),
        ("send", f"{addresses(1)}; echo up-$((1+1))"), ("until", "up-2"),
        ("until", PROMPT), *to("right"),
        ("send", f"{addresses(2)}; echo up-$((1+1))"), ("until", "up-2"),
        ("until", PROMPT), *to("left"),
        ("send", f"seq 1 {LINES} >/tmp/file; httpd -h /tmp; echo serves-$((1+1))"),
        ("until", "serves-2"), ("until", PROMPT),
        *transfer(0),
        ("send", f"echo large-$(( {mean(0, 'rx')} > {FULL} ))"), ("until", "large-1"),
        ("until", PROMPT),
        *transfer(1),
        ("send", f"echo cut-$(( {mean(1, 'rx')} <= {FULL} ))"), ("until", "cut-1"),
        ("until", PROMPT)])[0]


ROWS = [("guest-network-svm", "a file goes from guest to guest in large packets, and in complete "
         "frames through a component", check)]
