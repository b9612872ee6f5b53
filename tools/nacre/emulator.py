# SPDX-License-Identifier: BSD-2-Clause
"""Chooses the emulator for a system with guests, and starts it."""

from nacre import kvm, machine
from nacre.report import step, warn

CHOICES = ("auto", "qemu", "bochs")
MEMORY = 1024
# Held to the wall clock, a machine is never faster than this; about what a PC's core can emulate.
PEOPLES_SPEED = 100_000_000


def choose(wanted):
    """(emulator, QEMU accelerator): QEMU where KVM has nested VMX, else Bochs."""
    if wanted == "bochs":
        return "bochs", None
    reason = kvm.refusal()
    if reason is None:
        return "qemu", "kvm"
    if wanted == "qemu":
        warn(f"{reason}; QEMU emulates this machine without VT-x: native components run, "
             "guests cannot")
        return "qemu", "tcg"
    step(f"using Bochs, which has VT-x ({reason})")
    return "bochs", None


def start(iso, wanted, pace, **attached):
    """Boots the ISO; the pace names what Bochs' clock is made for: "people" or "instructions".
    `attached` are settings that both machines have: `disks`, `wire`."""
    emulator, accelerator = choose(wanted)
    if emulator == "qemu":
        return machine.QemuMachine(iso=iso, memory=MEMORY, accelerator=accelerator, **attached)
    if pace == "people":
        return machine.BochsMachine(iso=iso, memory=MEMORY, sync="slowdown", time0="local",
                                    ips=PEOPLES_SPEED, **attached)
    return machine.BochsMachine(iso=iso, memory=MEMORY, **attached)
