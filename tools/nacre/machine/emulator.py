# SPDX-License-Identifier: BSD-2-Clause
"""Chooses the emulator for a system, and starts it as the command line asks."""

import dataclasses

from nacre.machine import disks, kvm, machine, models, network, qemu
from nacre.machine.models import ENGINES
from nacre.report import Failure, step, warn

CHOICES = ("auto", "qemu", "bochs")
MEMORY = 1024
# MiB; Bochs keeps at most 2 GiB of it in its own memory and the rest in a file.
SMALLEST_MEMORY, LARGEST_MEMORY = 64, {"qemu": 1 << 20, "bochs": 1 << 15}
MOST_CORES = {"qemu": 255, "bochs": 8}
TITLES = {"qemu": "QEMU", "bochs": "Bochs"}
# QEMU's own CPUs have no VT-x.
QEMU_MODELS = {"": "max", "amd": "max", "intel": f"{qemu.WITHOUT_AMD_V},{qemu.VENDORS['intel']}"}
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
    clock: str = "wall"
    iommu: str = ""  # whose (qemu.IOMMUS)
    devices: tuple = ()  # further ones, in QEMU's words


def wanted(options, has_guests, cores=1):
    """What the command line asks for, with so many cores if it does not say how many, or as many
    as the emulator that it names can have."""
    default = min(cores, MOST_CORES.get(options.emulator, cores))
    return Wanted(options.emulator, options.memory,
                  default if options.cores is None else options.cores, options.cpu, has_guests,
                  options.clock, options.iommu,
                  tuple(options.device))


def choose(request):
    """(emulator, QEMU accelerator), and says why: the first that runs the system's guests, if it
    has any, of KVM, QEMU with its own AMD-V, and Bochs with its VT-x."""
    if request.emulator == "bochs":
        step("using Bochs, as asked for: --emulator qemu would run this several times as fast")
        return "bochs", None
    if request.emulator == "auto" and models.is_of_bochs_alone(request.cpu):
        step(f"using Bochs, which has the CPU {request.cpu}")
        return "bochs", None
    maker, reason = kvm.probe()
    if maker and request.cpu in ENGINES and request.cpu != maker:
        maker, reason = None, f"KVM has {ENGINES[maker]} here"
    if maker and request.clock != "wall":
        maker, reason = None, f"KVM's time is the host's, not {request.clock}"
    if maker:
        step(f"using QEMU with KVM, whose guests have {ENGINES[maker]}")
        return "qemu", "kvm"
    return choose_emulation(request, reason)


def choose_for_program(request):
    """The same for a program of the user's own, which gets the emulator that is named."""
    if request.emulator == "bochs":
        return choose(request)
    return choose_emulation(request, "boot does without KVM")


def choose_emulation(request, reason):
    """The same without KVM, for that reason."""
    if request.has_guests is False:
        step("using QEMU: no guest is in this system, which needs no virtualisation then "
             f"({reason})")
    elif request.cpu in ("", "amd"):
        step(f"using QEMU, which emulates AMD-V ({reason})")
    elif request.cpu != "intel":
        step(f"using QEMU: guests run if its CPU {request.cpu} has svm ({reason})")
    elif request.emulator == "qemu":
        warn(f"{reason}; QEMU emulates no VT-x: native components run, guests cannot; "
             "--emulator bochs has it")
    else:
        step(f"using Bochs, which emulates VT-x ({reason})")
        return "bochs", None
    return "qemu", "tcg"


def model(emulator, accelerator, cpu):
    """The emulator's own name of a CPU that is asked for by it or by its maker; "" for the
    emulator's usual one."""
    if emulator == "qemu" and accelerator == "tcg":
        return QEMU_MODELS.get(cpu, cpu)
    return "" if cpu in ENGINES else cpu


def check(emulator, request, accelerator=None):
    """Says what this emulator cannot do, before it says so in its own words."""
    title, most = TITLES[emulator], MOST_CORES[emulator]
    if request.memory < SMALLEST_MEMORY:
        raise Failure(f"--memory {request.memory}: with less than {SMALLEST_MEMORY} MiB there is "
                      "no room for Nacre and a system")
    if request.memory > LARGEST_MEMORY[emulator]:
        raise Failure(f"--memory {request.memory}: {title} can have at most "
                      f"{LARGEST_MEMORY[emulator]} MiB here")
    if not 1 <= request.cores <= most:
        raise Failure(f"--cores {request.cores}: {title} can have 1 to {most} cores here")
    for option, is_wanted in (("--iommu", request.iommu), ("--device", request.devices)):
        if is_wanted and emulator == "bochs":
            raise Failure(f"Bochs has nothing for {option}: take --emulator qemu")
    if request.cpu == "amd" and emulator == "bochs":
        raise Failure("--cpu amd: guests do not run on Bochs' AMD models, where an interrupt of "
                      "the host waits for the guest; take --emulator qemu")
    if request.cpu and request.cpu not in ENGINES:
        models.check(emulator, request.cpu)
    if request.cpu.split(",")[0] == "host" and accelerator != "kvm":
        raise Failure("--cpu host: without KVM, which is not used here, QEMU cannot be this CPU; "
                      "`max` has all that it can be")


def chosen(request, attached_disks, wire):
    """The emulator for the request and for the disks and the network that are attached, once it is
    known that they are possible there."""
    emulator, accelerator = choose(request)
    check(emulator, request, accelerator)
    if emulator == "bochs":
        disks.check_bochs(attached_disks)
        network.check_bochs(wire)
    if request.iommu and attached_disks.ide:
        raise Failure(f"{disks.KINDS['ide'].option}: the machine that QEMU has an IOMMU in has no "
                      "IDE; take a disk of another kind, or leave out --iommu")
    return emulator, accelerator


def of_qemu(request):
    """Settings of a machine that only QEMU has."""
    return {"iommu": request.iommu,
            "extra": tuple(word for device in request.devices for word in ("-device", device))}


def start(iso, choice, request, pace, **attached):
    """Boots the ISO in the emulator that was chosen; the pace names what Bochs' clock is made for:
    "people" or "instructions". `attached` are settings that both machines have: `disks`, `wire`,
    `limit`."""
    emulator, accelerator = choice
    attached |= {"memory": request.memory, "cores": request.cores}
    cpu = model(emulator, accelerator, request.cpu)
    if cpu:
        attached["cpu"] = cpu
    if emulator == "qemu":
        return machine.QemuMachine(iso=iso, accelerator=accelerator, clock=request.clock,
                                   **of_qemu(request), **attached)
    if pace == "people" and request.clock == "wall":
        return machine.BochsMachine(iso=iso, sync="slowdown", time0="local", ips=PEOPLES_SPEED,
                                    **attached)
    return machine.BochsMachine(iso=iso, **attached)
