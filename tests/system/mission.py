# SPDX-License-Identifier: BSD-2-Clause
"""The example mission_computer with small guests instead of Debian: the filter passes and drops,
the control loop misses no deadline while a guest crashes and starts again. Where something of
higher priority takes its time, it misses some."""

import re
import shutil

from nacre import places
from nacre.machine import emulator, machine
from nacre.test import mission
from nacre.test.system_tests import inflated_kernel, judge

SECONDS = 300
HOG = places.ROOT / "tests" / "system" / "systems" / "mission_late" / "hog.c"
PROMPT = "nacre-guest# "
BUSY = "while true; do dd if=/dev/zero bs=1M count=8 2>/dev/null | sha256sum >/dev/null; done &"
RIGHT = mission.ADDRESSES["right"]


def small_guests(text):
    """The description with the demo's kernel and initial RAM disk in place of Debian's disks."""
    text = re.sub(r'boot="\w+\.img"', f'kernel="{places.GUEST_KERNEL.name}" '
                  f'initrd="{places.GUEST_INITRAMFS.name}"', text)
    text = re.sub(r'memory="\d+M"', 'memory="160M"', text)
    text = re.sub(r'cmdline="[^"]*"', 'cmdline="console=ttyS0 quiet panic=1 cryptomgr.notests=1"',
                  text)
    return re.sub(r"<disk [^>]*>", "", text)


def no_guests(text):
    """The description with a component above the loop that takes several periods at once."""
    text = re.sub(r"<virtual_machine .*?</virtual_machine>|<control [^>]*>", "", text,
                  flags=re.DOTALL)
    return text.replace("</system>", '<protection_domain name="hog" program="hog.elf" '
                        'priority="251" budget="3500" period="100000"/></system>')


def new_folder(name):
    folder = places.BUILD / "system-tests" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def to_guest(run, name):
    run.keyboard_to(name)
    run.play(("until", PROMPT), ("send", f"ifconfig eth0 {mission.ADDRESSES[name]} up"),
             ("until", PROMPT), ("send", BUSY), ("until", PROMPT))


def check():
    name = "mission-small"
    folder = new_folder(name)
    (folder / places.GUEST_KERNEL.name).write_bytes(inflated_kernel())
    iso = mission.made_iso(folder, small_guests)
    running = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, limit=SECONDS, cpu="max",
                                  clock="emulated")
    with running:
        run = mission.Run(running, f"system/{name}")
        run.play(("until", PROMPT))
        to_guest(run, "right")
        to_guest(run, "left")
        run.play(("send", f"ping -c 5 {RIGHT}"), ("until", "5 packets received"),
                 ("send", f"telnet {RIGHT} 80 & nslookup a.b {RIGHT}; kill %2"),
                 ("until", "from left: "), ("until", PROMPT),
                 ("send", "echo c >/proc/sysrq-trigger"), ("until", "left is running since"),
                 ("until", PROMPT), ("until", "control: "), ("until", "height"))
        return [run.outcome(), mission.deadlines(run.name, run.text, 1000), mission.filtered(
            run.name, run.text, "left", "ARP", "ping", "dropped_TCP", "dropped_UDP")]


def check_late():
    """The hog uses 3.5 ms in each tenth of a second: two or three deadlines."""
    name = "mission-late"
    iso = mission.made_iso(new_folder(name), no_guests, HOG)
    running = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, clock="emulated")
    found, text = judge(name, running, [("until", "control: 3"), ("until", "height")])
    return [*found, mission.deadlines(f"system/{name}", text, 3000,
                                      lambda missed: 50 <= missed <= 100)]


ROWS = [
    ("mission-small", "guests under load, of which one crashes, reach each other as far as the "
     "filter lets them, and delay no control loop", check),
    ("mission-late", "deadlines that a component of higher priority makes the loop miss are "
     "counted", check_late),
]
