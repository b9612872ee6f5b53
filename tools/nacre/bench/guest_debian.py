# SPDX-License-Identifier: BSD-2-Clause
"""Debian from a disk image, as the guest of Nacre and on the bare emulator: how long it takes to
its login prompt, how often it exits while it does nothing, and what a compilation takes."""

import dataclasses
import subprocess
import time

from compose.short.guest import DEFAULT_CMDLINE
from nacre import build, packages, places
from nacre.bench import guest_share
from nacre.guest import boot_files, debian
from nacre.machine import disks, emulator, machine, network
from nacre.pack import iso, product
from nacre.report import Failure, step
from nacre.terminal import console

FLAVOUR = "release"
IMAGE = places.GUEST / "bench.img"
SIZE = 2 << 30
GUEST_MEMORY = 512
INCLUDE = ("gcc", "libc6-dev")
# What the composer gives a guest beside its root file system.
ARGUMENTS = DEFAULT_CMDLINE
DESCRIPTION = f"""<system>
    <switch name="lan" card="e1000"/>
    <virtual_machine name="debian" memory="{GUEST_MEMORY}M" boot="{IMAGE.name}" rng="true">
        <disk driver="virtio"/>
        <network switch="lan" mac="52:54:00:12:34:56"/>
    </virtual_machine>
</system>
"""
LOGIN = "login:"
PROMPT = "root@bench:~#"
# After its start: the kernel asks for rules of radio ten times, 3.3 s apart, and each of them is
# work for udevd.
SETTLE_SECONDS = 45
IDLE_SECONDS = 60
FUNCTIONS = 120
FUNCTION = """
static long work_{number}(const long *words, long count) {{
	long sum = {number};

	for (long i = 0; i < count; i++) {{
		switch (words[i] % 5) {{
		case 0: sum += words[i] * {number}; break;
		case 1: sum ^= words[count - 1 - i] >> {number} % 7; break;
		case 2: sum = sum << 3 | (unsigned long)sum >> 61; break;
		default: sum -= i % ({number} + 1); break;
		}}
	}}
	return sum;
}}
"""


def source():
    """A C file of some size, for the compiler to work on."""
    calls = "\n".join(f"\tsum += work_{number}(words, count);" for number in range(FUNCTIONS))
    return ("#include <stdio.h>\n#include <stdlib.h>\n"
            + "".join(FUNCTION.format(number=number) for number in range(FUNCTIONS))
            + f"\nlong all(const long *words, long count) {{\n\tlong sum = 0;\n\n{calls}\n"
            "\treturn sum;\n}\n")


def ensure_image():
    """Debian with a C compiler, the program of bench/guest and something to compile."""
    packages.ensure(boot_files.NEEDS)
    debian.ensure(debian.Wanted(debian.KERNELS[0], INCLUDE, SIZE, "bench", ()), IMAGE)
    program, text = guest_share.program(), guest_share.FOLDER / "work.c"
    text.write_text(source())
    # A machine may run from the image meanwhile, and throw away what it writes itself.
    boot_files.put(IMAGE, "work.c", text)
    boot_files.put(IMAGE, "load", program)


@dataclasses.dataclass(frozen=True)
class Boot:
    """Settings of a machine that boots the image, and what it is for people."""

    name: str
    title: str
    settings: dict


def bare_settings(**settings):
    return {"memory": GUEST_MEMORY, **settings, "extra": (
        "-snapshot", "-drive", f"if=none,id=disk,format=raw,file={IMAGE}",
        "-device", "virtio-blk-pci,drive=disk", "-netdev", "user,id=net",
        "-device", "virtio-net-pci,netdev=net")}


def boots():
    """As the guest; bare by GRUB from a CD, as the guest; bare by QEMU's own loader."""
    ensure_image()
    build.compile_all()
    folder = guest_share.FOLDER
    kernel, initrd, root = boot_files.extract(IMAGE, folder / "debian")
    arguments = f"{root} {ARGUMENTS}"
    description = folder / "debian.system"
    description.write_text(DESCRIPTION)
    bare = folder / "debian-bare.iso"
    iso.pack_linux(bare, kernel, initrd, arguments)
    return (
        Boot("nacre", "as a guest, from the ISO", {
            "iso": product.make_iso(description, folder / "debian.iso", FLAVOUR),
            "memory": emulator.MEMORY, "disks": disks.Disks(virtio=IMAGE),
            "wire": network.Network("user"), "extra": ("-snapshot",)}),
        Boot("bare-iso", "bare, from an ISO", bare_settings(iso=bare)),
        Boot("bare", "bare, by QEMU's loader",
             bare_settings(kernel=kernel, modules=(initrd,), arguments=arguments)))


def seconds_to_login(boot):
    """Until the login prompt: of the emulator's processor time, and by the clock on the wall."""
    log = places.LOGS / f"bench-guest-login-{boot.name}.log"
    places.LOGS.mkdir(parents=True, exist_ok=True)
    step(f"guest: login, {boot.title} ({places.shown(log)})")
    began = time.monotonic()
    with machine.QemuMachine(cpu=guest_share.CPU, clock="emulated", limit=guest_share.SECONDS,
                             **boot.settings) as running, log.open("wb") as output:
        why = console.Session(running, [("until", LOGIN)], output=output).run()
        used = running.processor_seconds()
    if why:
        raise Failure(f"{boot.name}: {why} ({places.shown(log)})")
    return used, time.monotonic() - began


def work(boot):
    """What was counted: of the guest idle for IDLE_SECONDS, and of a compilation, from the disk and
    once more."""
    marks = "/load mark"
    compile_it = "gcc -O2 -c -o /tmp/work.o /work.c"
    commands = (
        "systemctl is-system-running --wait; echo is-$((1+1))",
        f"sleep {SETTLE_SECONDS}; {marks}; sleep {IDLE_SECONDS}; {marks}; echo idle-$((1+1))",
        f"{marks}; {compile_it}; {marks}; {marks}; {compile_it}; {marks}; echo made-$((1+1))")
    steps = [("until", LOGIN), ("send", "root"), ("until", PROMPT)]
    for command, end in zip(commands, ("is-2", "idle-2", "made-2")):
        steps += [("send", command), ("until", end), ("until", PROMPT)]
    counts = guest_share.run(f"debian-{boot.name}", steps, 6, **boot.settings)
    return guest_share.between(counts)
