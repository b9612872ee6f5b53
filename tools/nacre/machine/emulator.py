# SPDX-License-Identifier: BSD-2-Clause
"""Chooses the emulator for a system, and starts it as the command line asks."""

import dataclasses

from nacre.machine import disks, kvm, machine, models
from nacre.report import Failure, step, warn

CHOICES = ("auto", "qemu", "bochs")
MEMORY = 1024
# MiB; Bochs keeps at most 2 GiB of it in its own memory and the rest in a file.
SMALLEST_MEMORY, LARGEST_MEMORY = 64, {"qemu": 1 << 20, "bochs": 1 << 15}
MOST_CORES = {"qemu": 255, "bochs": 8}
TITLES = {"qemu": "QEMU", "bochs": "Bochs"}
# Held to the wall clock, a machine is never faster than this; about what a PC's core can emulate.
PEOPLES_SPEED = 100_000_000


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is asked for; `has_guests` is None if unknown."""

    emulator: str = "auto"
    memory: int = MEMORY
    cores: int = 1
    cpu: str = ""
    has_guests: bool | None = None


def wanted(options, has_guests):
    """What the command line asks for."""
    return Wanted(options.emulator, options.memory, options.cores, options.cpu, has_guests)


def choose(request):
    """(emulator, QEMU accelerator): QEMU where KVM has nested VMX or no guest is to run, else
    Bochs."""
    if request.emulator == "bochs":
        if request.has_guests is False:
            step("no guest is in this system: --emulator qemu would run it several times as "
                 "fast")
        return "bochs", None
    reason = kvm.refusal()
    if reason is None:
        return "qemu", "kvm"
    if request.has_guests is False:
        if request.emulator == "auto":
            step("using QEMU: no guest is in this system, which needs no VT-x then")
        return "qemu", "tcg"
    if request.emulator == "qemu":
        warn(f"{reason}; QEMU emulates this machine without VT-x: native components run, "
             "guests cannot (--cpu max has AMD-V, for monitors other than vmm.elf)")
        return "qemu", "tcg"
    step(f"using Bochs, which has VT-x ({reason})")
    return "bochs", None


def check(emulator, request, accelerator=None):
    """Says what this emulator cannot do, before it says so in its own words."""
    title, most = TITLES[emulator], MOST_CORES[emulator]
    if not SMALLEST_MEMORY <= request.memory <= LARGEST_MEMORY[emulator]:
        raise Failure(f"--memory {request.memory}: {title} can have {SMALLEST_MEMORY} to "
                      f"{LARGEST_MEMORY[emulator]} MiB here")
    if not 1 <= request.cores <= most:
        raise Failure(f"--cores {request.cores}: {title} can have 1 to {most} cores here")
    if request.cpu:
        models.check(emulator, request.cpu)
    if request.cpu.split(",")[0] == "host" and accelerator != "kvm":
        raise Failure("--cpu host: without KVM, which is not used here, QEMU cannot be this CPU; "
                      "`max` has all that it can be")


def chosen(request, attached_disks):
    """The emulator for the request and the disks that are attached, once it is known that they
    are possible there."""
    emulator, accelerator = choose(request)
    check(emulator, request, accelerator)
    if emulator == "bochs":
        disks.check_bochs(attached_disks)
    return emulator, accelerator


def start(iso, choice, request, pace, **attached):
    """Boots the ISO in the emulator that was chosen; the pace names what Bochs' clock is made for:
    "people" or "instructions". `attached` are settings that both machines have: `disks`, `wire`,
    `limit`."""
    emulator, accelerator = choice
    attached |= {"memory": request.memory, "cores": request.cores}
    if request.cpu:
        attached["cpu"] = request.cpu
    if emulator == "qemu":
        return machine.QemuMachine(iso=iso, accelerator=accelerator, **attached)
    if pace == "people":
        return machine.BochsMachine(iso=iso, sync="slowdown", time0="local", ips=PEOPLES_SPEED,
                                    **attached)
    return machine.BochsMachine(iso=iso, **attached)
