# SPDX-License-Identifier: BSD-2-Clause
"""The life of a guest, in QEMU by AMD-V: what follows when Debian's kernel panics, hangs or is
switched off, and what a component and a person at the terminal do with it; a small guest that is
restarted a thousand times beside another."""

import os
import re
import subprocess

from nacre import places
from nacre.machine import emulator, machine
from nacre.machine.disks import Disks
from nacre.test import results
from nacre.test.system_tests import inflated_kernel, judge, keyboard_to, replaced_iso

SECONDS = 900
PROMPT = "nacre-guest# "
DESCRIPTION = places.ROOT / "examples" / "lifecycle" / "lifecycle.system"
BUTTON = ("cd /lib; insmod evdev.ko; insmod button.ko; "
          "{ head -c 24 /dev/input/event0 >/tmp/event; echo but''ton; poweroff; } & "
          "grep -c ACPI:Ged /proc/interrupts; sleep 1; echo listens-$((1+1))")
PANIC = "cd /lib; insmod pvpanic.ko; insmod pvpanic-mmio.ko; echo c >/proc/sysrq-trigger"
# The watchdog is not fed, and must not stop when it is closed.
HANG = ("rmmod i6300esb; insmod /lib/i6300esb.ko heartbeat=4 nowayout=1; "
        "echo 1 >/dev/watchdog; echo fed-$((1+1))")
AGAIN = "cat /sys/class/watchdog/watchdog0/bootstatus; echo status-$((1+1))"


def check():
    iso = replaced_iso("guest-life-svm", {places.GUEST_KERNEL.name: inflated_kernel()},
                       system=DESCRIPTION)
    running = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, limit=SECONDS, cpu="max")
    return judge("guest-life-svm", running, [
        ("until", "the guest is paused since boot"), ("until", "guest paused by its controller"),
        ("until", "guest resumed by its controller"), ("until", PROMPT),
        *keyboard_to(2, "keeper"),
        ("send", "\x01p"), ("until", "has no guest"),
        *keyboard_to(1, "linux"),
        ("send", "\x01p"), ("until", "guest paused by the terminal"),
        ("send", "\x01g"), ("until", "linux: guest paused"), ("send", "echo typed-$((1+1))"),
        ("send", "\x01u"), ("until", "guest resumed by the terminal"), ("until", "typed-2"),
        ("send", "\x01n"), ("until", "NMI injected by the terminal"),
        ("until", "NMI received for unknown reason"),
        ("send", BUTTON), ("until", "listens-2"), ("send", "\x01o"), ("until", "button"),
        ("until", "guest powered off; it stays off"),
        ("until", "the guest is off since its power-off"),
        ("until", "guest reset by its controller"), ("until", PROMPT),
        ("send", PANIC), ("until", "Kernel panic"),
        ("until", "guest panicked; restart 1 of 3 in 50 ms"), ("until", PROMPT),
        ("send", HANG), ("until", "fed-2"),
        ("until", "guest reset by its watchdog; restart 2 of 3 in 100 ms"), ("until", PROMPT),
        ("send", AGAIN), ("until", "32"), ("until", "status-2"),
        ("send", "reboot -f"), ("until", "guest resets; it starts again"), ("until", PROMPT)])[0]


# The guests of their own kernel, and a disk each of whose sectors begins with its number.
RESTARTS = places.ROOT / "tests" / "system" / "systems" / "guest_restarts"
SECTOR, DISK_SECTORS = 512, 2048
COMPILE = ("-std=gnu2x", "-O2", "-ffreestanding", "-fno-pic", "-no-pie", "-mno-red-zone",
           "-mgeneral-regs-only", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
           "-nostdlib", "-static", "-Wl,--build-id=none", "-Wl,--oformat=binary")
TELLS = re.compile(r"(\d+) restarts, (\d+) of them by command, (\d+) sectors read: "
                   r"(\d+) frames, (\d+) lost")
LEFT = re.compile(r"'canary' was restarted; (\d+) KiB and (\d+) slots are left")
# As many frames as restarts, at least: the other guest was at work.
WRONG = ("comes after", "has crashed", "was refused", "is missing", "the timer refused")


def guest_kernel(folder):
    """The bzImage of the two guests."""
    head, target = folder / "head.o", folder / "kernel"
    subprocess.run(["nasm", "-f", "elf64", "-o", head, RESTARTS / "head.asm"], check=True)
    subprocess.run([os.environ.get("CC", "gcc"), *COMPILE, "-I", places.ROOT / "include",
                    f"-Wl,-T,{RESTARTS / 'guest.ld'}", "-o", target, head, RESTARTS / "guest.c"],
                   check=True)
    return target.read_bytes()


def restart_results(name, text, restarts):
    """No frame is lost, and as much memory is free after the restarts as before."""
    left, told = LEFT.findall(text), TELLS.findall(text)
    done, by_command, sectors, frames, lost = map(int, told[-1]) if told else [0] * 5
    facts = (("restarts", done >= restarts and 0 < by_command <= done, f"{told[-1:]}"),
             ("disk", sectors > 0, "the guest that is restarted has read nothing"),
             ("frames", lost == 0 and frames >= restarts, f"{frames} came, {lost} were lost"),
             ("memory", len(left) == 2 and left[0] == left[1], f"{left}"),
             ("words", not any(word in text for word in WRONG), "a line says what is wrong"))
    for fact, good, problem in facts:
        full = f"system/{name}/{fact}"
        yield results.passed(full) if good else results.failed(full, problem)


def check_restarts(name="guest-restarts-svm", restarts=20):
    folder = places.BUILD / "system-tests"
    folder.mkdir(parents=True, exist_ok=True)
    disk = folder / f"{name}.disk"
    disk.write_bytes(b"".join(number.to_bytes(SECTOR, "little") for number in range(DISK_SECTORS)))
    iso = replaced_iso(name, {"guest.bin": guest_kernel(folder)}, lambda text: text.replace(
        '<settings text="20"/>', f'<settings text="{restarts}"/>'),
        system=RESTARTS / "guest_restarts.system")
    running = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, limit=SECONDS, cpu="max",
                                  disks=Disks(virtio=disk))
    found, text = judge(name, running, [
        ("until", "'canary' was restarted"), ("until", " of them by command"),
        ("until", "restart 2 of 2"), ("until", "'canary' was restarted"),
        ("until", "slots are left")])
    return found + list(restart_results(name, text, restarts))


def check_many():
    return check_restarts("guest-restarts", 1000)


ROWS = [("guest-life-svm", "Debian's kernel is paused, gets an NMI, sees its power button, and "
         "starts again after a panic, by its watchdog and by a component", check),
        ("guest-restarts-svm", "twenty restarts of a guest that uses a disk lose no frame of "
         "another, and no memory", check_restarts)]
ON_DEMAND = [("guest-restarts", "so do a thousand", check_many)]
