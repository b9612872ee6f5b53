# SPDX-License-Identifier: BSD-2-Clause
"""The command line of `./nacre`."""

import argparse
import pathlib
import signal
import sys

from compose import output
from nacre import commands, version
from nacre.bench import questions
from nacre.guest import debian
from nacre.machine import disks, emulator, network, qemu
from nacre.pack import disk, sdk
from nacre.pc import check, inspector
from nacre.report import Failure
from nacre.test import fuzz, suite


class AddStep(argparse.Action):
    """Collects --until and --send in the order in which they are given."""

    def __call__(self, parser, namespace, values, option_string=None):
        if not values and option_string == "--until":
            parser.error("argument --until: an empty text is in any output")
        steps = getattr(namespace, "steps", None) or []
        namespace.steps = [*steps, (option_string.lstrip("-"), values)]


def description(text):
    """A description's file, or the folder that has one of its own name in it."""
    path = pathlib.Path(text)
    inside = path / f"{path.absolute().name}.system"
    return inside if inside.is_file() else path


def at_least(least, kind):
    """How argparse reads a number of this kind that is not below the least."""
    def number(text):
        value = kind(text)
        if not value >= least:
            raise argparse.ArgumentTypeError(f"{text} is not {least} or more")
        return value
    return number


def add_session_options(parser):
    parser.add_argument("--until", action=AddStep, metavar="TEXT", dest="steps", default=[],
                        help="end with success as soon as TEXT was seen (may be repeated)")
    parser.add_argument("--send", action=AddStep, metavar="TEXT", dest="steps",
                        help="type TEXT and Return; with --until a small script, in order")
    parser.add_argument("--timeout", type=at_least(0, float), metavar="S",
                        help="give up after S seconds by the clock on the wall; with --until a "
                             "run also ends after 900 seconds of the machine's own time, or when "
                             "the emulator gets nowhere")
    parser.add_argument("--linger", type=at_least(0, float), default=1, metavar="S",
                        help="after the last --until continue showing output for S seconds "
                             "(default: 1)")


def add_kernel_options(parser):
    parser.add_argument("--release", dest="flavour", action="store_const", const="release",
                        default="debug", help="take the release kernel instead of the debug one")
    parser.add_argument("--arguments", default="", metavar="TEXT",
                        help="command line given to the kernel")


def add_machine_options(parser, emulators, default, text, cores="1"):
    parser.add_argument("--emulator", choices=emulators, default=default, help=text)
    parser.add_argument("--memory", type=int, default=emulator.MEMORY, metavar="MIB",
                        help=f"memory of the machine (default: {emulator.MEMORY})")
    parser.add_argument("--cores", type=int, metavar="N",
                        help=f"cores of the machine (default: {cores})")
    parser.add_argument("--cpu", default="", metavar="MODEL",
                        help="its processor: intel, amd, or the emulator's own name of one, from "
                             "`qemu-system-x86_64 -cpu help` (flags may follow: max,-fsgsbase) or "
                             "`bochs -help cpu`; default: max, which is AMD's, with KVM the "
                             "host's; corei7_skylake_x")
    add_iommu_options(parser)


def add_iommu_options(parser):
    parser.add_argument("--iommu", action="store_const", const="intel", default="",
                        help="with an IOMMU, Intel's VT-d, on the machine that QEMU has it on "
                             "(q35), which has no IDE disk (QEMU only; by itself where a guest "
                             "drives a device)")
    parser.add_argument("--amd-iommu", action="store_const", const="amd", dest="iommu",
                        help="the same with AMD's (AMD-Vi)")
    parser.add_argument("--device", action="append", default=[], metavar="TEXT",
                        help="with another device, in QEMU's own words (may be repeated; QEMU "
                             "only)")


def add_network_options(parser):
    parser.add_argument("--network", metavar="KIND",
                        help="give the machine a network card: `user` for the emulator's own "
                             "network, a port number for a wire of UDP datagrams (default: none; "
                             "user where a guest drives the card itself)")
    parser.add_argument("--card", choices=network.CARDS,
                        help="which network card (default: the one that the description has a "
                             f"driver for; with --iso {network.USUAL_CARD})")
    parser.add_argument("--forward", action="append", default=[], metavar="udp:PORT:ADDRESS:PORT",
                        help="with --network user: a port of this host that leads to a component")


def add_run(commands_of):
    parser = commands_of.add_parser(
        "run", help="build and boot the demo: native components and a Linux guest")
    parser.add_argument("system", nargs="?", type=description, metavar="FILE.system",
                        help="the system description to boot instead of the demo; also its folder, "
                             "if it has the folder's name")
    parser.add_argument("--iso", type=pathlib.Path, help="boot this ISO and build nothing")
    add_machine_options(parser, emulator.CHOICES, "auto",
                        "auto: the first that can run the guests of QEMU with KVM (nested VT-x or "
                        "AMD-V), QEMU alone, which emulates AMD-V, and Bochs, which emulates VT-x "
                        "and is slower", "as many as the description names; with --iso 1")
    for name, kind in disks.KINDS.items():
        parser.add_argument(kind.option, dest=disks.destination(name), type=pathlib.Path,
                            metavar="FILE", help=kind.help)
    parser.add_argument("--clock", choices=("wall", "emulated"), default="wall",
                        help="emulated: the machine's time is counted in the instructions that it "
                             "executes, so that whatever else this host does makes nothing late "
                             "there; time in which it is idle is skipped (default: wall)")
    add_network_options(parser)
    add_kernel_options(parser)
    add_session_options(parser)
    parser.set_defaults(act=commands.run)


def add_isos(commands_of):
    for name, text in (("build", "make the ISO of a system description, or of the demo"),
                       ("iso", "the same as build: make the demo's ISO")):
        parser = commands_of.add_parser(name, help=text)
        parser.add_argument("system", nargs="?", type=description, metavar="FILE.system",
                            help="the system description; the demo's if none is named")
        parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE.iso")
        parser.add_argument("--expand", action="store_true",
                            help="make no ISO: print the description with its short elements "
                                 "written out, or write it to the file of -o")
        parser.add_argument("--memory-test", action="store_true",
                            help="with a memory test in the boot menu, Debian's package memtest86+ "
                                 "(GPL-2), which is fetched")
        parser.add_argument("--self-test", action="store_true",
                            help="with self-tests of kernel and machine in the boot menu")
        parser.add_argument("--board", type=pathlib.Path, metavar="FILE.json",
                            help="check first whether the machine of this board file has what the "
                                 "description names (./nacre inspect makes one)")
        parser.add_argument("--sign", nargs=2, type=pathlib.Path, metavar=("KEY", "CERTIFICATE"),
                            help="sign for Secure Boot, with PEM files of a key that the firmware "
                                 "knows")
        add_kernel_options(parser)
        parser.set_defaults(act=commands.make_iso)


def add_disk(commands_of):
    parser = commands_of.add_parser(
        "disk", help="make a disk image with two slots for systems, or update one",
        description="Makes an image of a disk (GPT) that boots by BIOS and UEFI, for a PC's disk "
                    "or a USB stick, with the system in the first of two slots. An update fills "
                    "the other slot; the boot menu tries it three times and then boots again what "
                    "came up before, unless the update was kept (--keep, or in that menu).")
    parser.add_argument("system", nargs="?", type=description, metavar="FILE.system",
                        help="the system description; the demo's if none is named")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="DISK", required=True,
                        help="the image; with the three that follow it may be a disk")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--update", action="store_true",
                      help="write the system into the slot that did not come up last")
    what.add_argument("--keep", action="store_true", help="say that the update came up")
    what.add_argument("--show", action="store_true", help="say what is booted next")
    parser.add_argument("--slot-size", default="64M", metavar="SIZE",
                        help="of each of the two slots, with M or G (default: 64M)")
    parser.add_argument("--memory-test", action="store_true",
                        help="with a memory test in the boot menu, as that of `build`")
    add_kernel_options(parser)
    parser.set_defaults(act=disk.run)


def add_check_pc(commands_of):
    parser = commands_of.add_parser(
        "check-pc", help="say what of this PC, under Linux, Nacre will use",
        description="Reads what Linux shows of this PC and says line by line what works, what is "
                    "not used and what fails, and what to set in the firmware. Status 1: something "
                    "fails. It needs no rights; root (with the modules msr and cpuid) sees more.")
    parser.add_argument("--root", type=pathlib.Path, default="/", metavar="DIR",
                        help="read a recorded tree of /proc, /sys and /dev")
    parser.set_defaults(act=check.run)


def add_inspect(commands_of):
    parser = commands_of.add_parser(
        "inspect", help="turn the hardware report of a machine into a board file",
        description="Reads the hardware report in a boot log (boot option report=on), or boots "
                    "QEMU's machine for one, prints what there is, and writes it to a board file, "
                    "against which `build --board` checks a description.")
    parser.add_argument("log", nargs="?", type=pathlib.Path, metavar="LOG",
                        help="what came on the serial line; QEMU is booted if none is named")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE.json")
    parser.add_argument("--memory", type=int, default=emulator.MEMORY, metavar="MIB",
                        help=f"memory of QEMU's machine (default: {emulator.MEMORY})")
    parser.add_argument("--cores", type=int, default=1, metavar="N",
                        help="cores of QEMU's machine (default: 1)")
    parser.add_argument("--cpu", default="", metavar="MODEL", help="its processor")
    add_iommu_options(parser)
    parser.set_defaults(act=inspector.run, emulator="qemu", clock="emulated")


def add_boot(commands_of):
    parser = commands_of.add_parser("boot", help="boot a program of your own as initial task")
    parser.add_argument("--kernel-only", dest="program", required=True, metavar="ROOTTASK.elf",
                        help="the ELF that the kernel starts, with no other module")
    add_machine_options(parser, ("qemu", "bochs"), "qemu",
                        "qemu is faster and has AMD-V, bochs has VT-x (default: qemu)")
    parser.add_argument("--clock", choices=("wall", "instructions"), default="wall",
                        help="instructions: the TSC counts them and runs repeat exactly")
    add_kernel_options(parser)
    add_session_options(parser)
    parser.set_defaults(act=commands.boot)


def add_sdk(commands_of):
    parser = commands_of.add_parser(
        "sdk", help="write headers, library, kernel and tool for Makefiles of Microkit systems")
    parser.add_argument("folder", type=pathlib.Path, metavar="DIR")
    parser.set_defaults(act=sdk.run)


def add_guest_debian(kinds):
    parser = kinds.add_parser(
        "debian", help="make a disk image of Debian 12",
        description="Makes a raw disk image (GPT, ext4) of Debian 12 from packages, with its own "
                    "kernel and initial RAM disk, a login on the first serial port without "
                    "password, an ssh server for root by key, and network by DHCP. An image that "
                    "is there is kept. Installed packages are kept in build/guest too, so that "
                    "another image of them is a matter of seconds.")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE.img",
                        help="the image (default: build/guest/debian.img)")
    parser.add_argument("--size", default="2G", metavar="SIZE",
                        help="of the disk, with M or G; the file is sparse (default: 2G)")
    parser.add_argument("--kernel", choices=debian.KERNELS, default=debian.KERNELS[0],
                        help="which of Debian's kernels (default: %(default)s)")
    parser.add_argument("--include", action="append", default=[], metavar="PACKAGE,...",
                        help="more packages (may be repeated)")
    parser.add_argument("--hostname", default="debian", metavar="NAME",
                        help="its name (default: debian)")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--ssh-key", action="append", type=pathlib.Path, metavar="FILE.pub",
                      help="public key that may log in as root by ssh (may be repeated; default: "
                           "~/.ssh/id_*.pub)")
    keys.add_argument("--no-ssh-key", action="store_true", help="no login by ssh")
    parser.add_argument("--force", action="store_true",
                        help="make it anew, of the newest packages; what is on it is lost")
    parser.set_defaults(act=debian.run)


def add_guest(commands_of):
    kinds = commands_of.add_parser(
        "guest", help="make disk images for guests, or look into one").add_subparsers(
            required=True, metavar="WHAT")
    add_guest_debian(kinds)
    parser = kinds.add_parser("show", help="say which kernel and initial RAM disk an image boots")
    parser.add_argument("image", type=pathlib.Path, metavar="FILE.img")
    parser.set_defaults(act=debian.show)


def add_test(commands_of):
    parser = commands_of.add_parser("test", help="run the tests, fast ones first")
    parser.add_argument("pattern", nargs="?", default="",
                        help="run only the test of this name, or those whose names contain it; "
                             "`releases` runs them all on a new Debian of the other release, in "
                             "a chroot and as root, `releases/12` and `releases/13` on that one")
    parser.add_argument("--list", action="store_true", help="list the tests and run none")
    parser.set_defaults(act=suite.run)


def add_bench(commands_of):
    parser = commands_of.add_parser(
        "bench", help="print measurements",
        description="Prints measurements, a line of JSON each, then tables. The column `mark` is "
                    "what a figure should not exceed; docs/performance.md explains the others.")
    parser.add_argument("question", choices=sorted(questions.QUESTIONS), nargs="?",
                        help="one measurement, all of them unless it is named. ipc: system calls, "
                             "messages, faults, mappings, objects; vm-exit: with the mitigations "
                             "that the CPU asks for, and without; ring: an item from component to "
                             "component; kernel-boot: until the initial task; start: until every "
                             "component has run its init; guest-boot: Linux until its shell, on "
                             "the bare machine and as a guest; guest: what a guest costs: start, "
                             "disk, network, idling, memory, a compilation; guest-clock: what a "
                             "guest's clocks go wrong in an hour; run-time: `./nacre run` to the "
                             "guest's prompt, in QEMU and in Bochs; smp: what several cores cost, "
                             "and what they share")
    parser.add_argument("--compare", type=pathlib.Path, metavar="FILE",
                        help="say how medians differ from those recorded in FILE; fail if any grew")
    parser.add_argument("--record", type=pathlib.Path, metavar="FILE",
                        help="write the lines of JSON to FILE, for a later --compare")
    parser.add_argument("--operation", metavar="NAME",
                        help="of ipc: tell where this figure's instructions, cache lines and "
                             "branches are, instead of the table")
    parser.add_argument("--emulator", choices=("qemu", "bochs", "kvm"),
                        help="qemu (AMD-V) and bochs (VT-x) count instructions; with KVM the "
                             "figures are cycles; each measurement has its own default")
    parser.add_argument("--cpu", choices=sorted(qemu.VENDORS),
                        help="of ipc in QEMU: whose CPU it is, and with that which mitigations the "
                             "kernel needs (default: amd)")
    parser.add_argument("--arguments", default="", metavar="TEXT",
                        help="command line given to the kernel that is measured")
    parser.add_argument("--only", metavar="TEXT",
                        help="of ipc and guest: measure the figures whose names begin with TEXT; "
                             "the names are in tools/nacre/bench/marks.py, bench/guest.py and in "
                             "the lines of JSON")
    parser.add_argument("--iso", type=pathlib.Path, metavar="FILE.iso",
                        help="of ipc: write an ISO that measures the machine it boots on and "
                             "prints the figures on COM1")
    parser.add_argument("--log", type=pathlib.Path, metavar="FILE",
                        help="of ipc: take the figures from what such a machine said on COM1")
    parser.set_defaults(act=questions.run)


def add_fuzz(commands_of):
    parser = commands_of.add_parser("fuzz", help="make random system calls until one goes wrong")
    parser.add_argument("--seed", type=int, default=fuzz.SEED, metavar="N",
                        help="a seed repeats its run exactly")
    parser.add_argument("--count", type=at_least(1, int), default=fuzz.COUNT, metavar="N",
                        help="system calls to make; a round that has begun is ended")
    parser.add_argument("--emulator", choices=("qemu", "bochs"), default="qemu",
                        help="bochs is slower and has VT-x")
    parser.add_argument("--cores", type=at_least(1, int), default=1, metavar="N",
                        help="cores of the machine; the threads are spread over up to four")
    parser.set_defaults(act=fuzz.run)


def parse(words):
    parser = argparse.ArgumentParser(
        prog="nacre", description="Builds, packs, runs and tests Nacre. "
        "The first run installs the Debian packages that are missing.")
    parser.add_argument("--version", action="version", version=f"Nacre {version.number()}")
    commands_of = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_run, add_test, add_isos, add_disk, add_check_pc, add_inspect, add_guest,
                add_bench, add_boot, add_fuzz, add_sdk):
        add(commands_of)
    return parser.parse_args(words)


def leave(number, _):
    """Ends the program as an exception does, so that machines and files are tidied away."""
    raise SystemExit(128 + number)


def main(words):
    options = parse(words)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        return output.run(lambda: options.act(options), "nacre")
    except Failure as failure:
        print(f"nacre: {failure}", file=sys.stderr)
        return failure.status
    except OSError as error:
        if error.filename is None:
            raise
        print(f"nacre: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nnacre: interrupted", file=sys.stderr)
        return 130
