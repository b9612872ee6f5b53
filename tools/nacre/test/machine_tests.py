# SPDX-License-Identifier: BSD-2-Clause
"""Runs test programs as the initial task in an emulator and reads the results they print."""

from nacre import build, places, version
from nacre.machine import machine, qemu
from nacre.pack import product
from nacre.terminal import console
from nacre.test import engine_tests, results

END = "tests done"
# Of the machine's own time.
KERNEL_SECONDS = 120
GUESTS_SECONDS = 300
CORES = 4
REFUSED = "may not write at 0x402000"
ALL_CORES = f"cores: {CORES} of {CORES},"
# The major version of Bochs, as far as the list of guest tests tells versions of it apart.
BOCHS = 2


def watch(running, name, steps):
    """Runs a script with the machine's output in a log: (why it went wrong, text, log)."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / f"{name}.log"
    with log.open("wb") as output:
        why = console.Session(running, steps, output=output).run()
    return why, log.read_text(errors="replace"), places.shown(log)


def run_program(running, name, first=()):
    """The results a test program printed, with one more failure if it did not reach its end or
    the texts that come first did not."""
    with running:
        steps = [("until", text) for text in (*first, END)]
        why, text, log = watch(running, name, steps)
        found = results.parse_lines(text, name, log)
        if why:
            last = found[-1].name if found else "before its first test"
            detail = f"{why}; last result: {last}\n{running.output(600)}"
            found.append(results.failed(name, detail, log))
    return found


def run_in_qemu(name, arguments="", first=(), program=None, devices=(), **settings):
    machine_settings = {"clock": "emulated", "limit": KERNEL_SECONDS, **settings}
    return run_program(
        machine.QemuMachine(kernel=build.artefact("kernel-debug.elf32"), arguments=arguments,
                            modules=(program or build.artefact("tests-kernel.elf"),), memory=512,
                            extra=(*devices, "-device", "e1000e"), **machine_settings),
        name, first)


def run_cores_in_qemu(name, cores, arguments="", **settings):
    """The tests of several cores; the program says how many the kernel told it of."""
    return run_in_qemu(name, arguments, first=[f"tests on {cores} cores"], cores=cores, cpu="max",
                       program=build.artefact("tests-cores.elf"), **settings)


def run_kernel():
    return run_in_qemu("kernel", first=[f"Nacre {version.number()}, debug build",
                                        "tests on 1 cores"])


def run_kernel_isolated():
    return run_in_qemu("kernel-isolated", "kpti=on itlb-multihit=on",
                       ["mitigations: kpti", " itlb-multihit", ALL_CORES, "unexpected so far"],
                       cores=CORES)


def run_kernel_with_cores():
    """All tests of one core beside idle ones, then those of several cores."""
    return [*run_in_qemu("kernel-cores", first=[ALL_CORES, f"tests on {CORES} cores"],
                         cores=CORES),
            *run_cores_in_qemu("kernel-cores-all", CORES)]


def run_two_cores():
    """They have several domains, and so no fast paths, the second time."""
    return [*run_cores_in_qemu("cores-two", 2),
            *run_cores_in_qemu("cores-two-domains", 2, "domains=16")]


def run_cores_by_the_wall():
    # Each core is a thread of the host, which may have no more than two cores itself.
    return run_cores_in_qemu("cores-wall", 2, clock="wall", limit=None)


def run_cores_in_bochs():
    """Bochs' processor has x2APIC, VT-x, PCIDs and a TSC-deadline timer."""
    return run_in_bochs("tests-cores.elf", "cores-vtx", "",
                        ["apic: x2APIC", "vmx: on", ALL_CORES, f"tests on {CORES} cores"],
                        cores=CORES)


def run_kernel_with_iommu():
    """With a unit that remaps DMA, which keeps what is not mapped and remaps interrupts or does
    neither, and a device that does what its driver says; with AMD's; with Intel's, but the unit
    off; and with several cores. QEMU 7.2 reports nothing by AMD's (docs/limits.md)."""
    found = []
    for name, arguments, first in (
            ("intel-iommu,caching-mode=off,intremap=off", "",
             ["iommu: VT-d, 1 of 1 units", "interrupts are not remapped", REFUSED]),
            ("intel-iommu,caching-mode=on,intremap=on", "",
             ["iommu: VT-d, 1 of 1 units", "interrupts are remapped", REFUSED,
              "PASS remap-all"]),
            ("amd-iommu", "", ["iommu: AMD-Vi, 1 of 1 units", "PASS dma-refused",
                               "PASS dma-lost-space"]),
            ("intel-iommu,intremap=on", "iommu=off", ["iommu: OFF by the option"])):
        devices = ("-M", "q35", "-device", name, "-device", "edu")
        found += run_in_qemu(f"kernel-iommu-{name.replace('=', '-').replace(',', '-')}",
                             arguments, first, devices=devices)
    return found + run_cores_in_qemu("kernel-iommu-cores", 2, devices=(
        "-M", "q35", "-device", "intel-iommu,intremap=on"))


def run_kernel_plain():
    """Where there are several domains there are no fast paths, so two options are one run."""
    return [*run_in_qemu("kernel-plain", "fastpath=off domains=16"),
            *run_cores_in_qemu("kernel-plain-cores", CORES, "domains=2")]


def run_kernel_by_the_wall():
    # Only so QEMU has x2APIC, where it has one at all.
    return run_in_qemu("kernel-wall", clock="wall", limit=None)


def run_kernel_without_fsgsbase():
    return run_in_qemu("kernel-no-fsgsbase", cpu="max,-fsgsbase")


def run_kernel_with_svm():
    return run_in_qemu("kernel-svm", cpu="max", first=["svm: on, nested paging"])


def as_listed(engine, found):
    return list(engine_tests.judged(engine, found))


def guest_program(engine, version):
    """The guest tests without those that this version of the emulator cannot have."""
    program = places.BUILD / f"tests-guests-{engine}.elf"
    program.write_bytes(engine_tests.leaving_out(
        build.artefact("tests-guests.elf").read_bytes(), engine_tests.fatal(engine, version)))
    return program


def run_guests_with_svm():
    program = guest_program("svm", qemu.version())
    return as_listed("svm", run_in_qemu("guests-svm", program=program, cpu="max",
                                        limit=GUESTS_SECONDS))


def run_in_bochs(program, name, arguments, first, **settings):
    iso = product.make_test_iso(program, places.BUILD / f"{name}.iso", arguments=arguments)
    return run_program(machine.BochsMachine(iso=iso, memory=512, limit=GUESTS_SECONDS, **settings),
                       name, first)


def run_kernel_with_vtx():
    # Bochs' processor has PCIDs, and faults that isolate the guests' tests.
    return run_in_bochs("tests-kernel.elf", "kernel-vtx", "kpti=off",
                        ["itlb-multihit; this CPU lacks"])


def run_guests():
    # With SPEC_CTRL, and beside large pages, which kernel-vtx and the guests of system/ do without.
    return as_listed("vtx", run_in_bochs("tests-guests.elf", "guests", "itlb-multihit=off",
                                         ["verw ibrs ibpb rsb"], cpu="tigerlake"))


def run_guests_on_ryzen():
    # This CPU has NRIPS and flush by ASID, which QEMU 7.2 lacks.
    return as_listed("ryzen", run_in_bochs(guest_program("ryzen", BOCHS), "guests-ryzen", "",
                                           ["flush by ASID, next RIP"], cpu="ryzen"))
