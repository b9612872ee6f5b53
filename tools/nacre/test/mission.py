# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre test mission-computer`: ten minutes of the example mission_computer in QEMU, both Debian
guests under load and each crashed once.

Only when named: the packages of the guests come from the network, and it takes long.
"""

import re

from nacre import packages, places
from nacre.guest import debian
from nacre.machine import disks, machine
from nacre.pack import product
from nacre.test import machine_tests, results

NAME = "mission-computer"
FOLDER = places.BUILD / "system-tests" / NAME
EXAMPLE = places.ROOT / "examples" / "mission_computer" / "mission_computer.system"
SPINNER = places.ROOT / "examples" / "hostile" / "looper.c"
ADDRESSES = {"left": "10.0.0.1", "right": "10.0.0.2"}
OTHER = {"left": "right", "right": "left"}
SIZE = 2 << 30
MEMORY = 1536
# Of the machine's own time.
LOAD_SECONDS = 600
SECONDS_PER_LINE = 10
PERIODS_PER_SECOND = 1000
LIMIT = 3600
PATIENCE = "systemd.default_timeout_start_sec=600 cryptomgr.notests=1"
NEXT_CONSOLE = "\x01c"
KEYBOARD = re.compile(r"the keyboard now belongs to (\w+)\s")
CONTROL = re.compile(r"control: (\d+) ms, (\d+) deadlines missed; starts at most (\d+) us late")
COUNTS = re.compile(r"from (?P<guest>left|right): passed (?P<passed>\d+) \((?P<ARP>\d+) ARP, "
                    r"(?P<ping>\d+) ping, (?P<ssh>\d+) ssh, (?P<UDP>\d+) UDP\).*; dropped "
                    r"(?P<dropped>\d+) \((?P<dropped_TCP>\d+) TCP, (?P<dropped_UDP>\d+) UDP")
# Processor, disk, network: what passes the filter, and what does not.
LOAD = ("while :; do head -c 64M /dev/zero | sha256sum; done >/dev/null &",
        "while :; do head -c 16M /dev/urandom >load; sync; cat load; done >/dev/null &",
        "ping -q -f {peer} >/dev/null &",
        "while :; do echo x >/dev/udp/{peer}/9; done 2>/dev/null &",
        "while sleep 1; do echo x >/dev/udp/{peer}/5000; head -1 </dev/tcp/{peer}/22; "
        "timeout 1 cat </dev/tcp/{peer}/80; done &>/dev/null &")


def made_image(guest):
    """Each guest's disk, of the packages that are kept."""
    want = debian.Wanted(debian.KERNELS[0], (), SIZE, guest, ())
    image = FOLDER / f"{guest}.img"
    image.unlink(missing_ok=True)
    return debian.ensure(want, image)


def patient(text):
    """The description with guests that wait for what is slow at 125 million instructions a second,
    and a component that runs when nothing else does: time that is idle is skipped in a machine
    whose clock counts instructions, and a disk that answers meanwhile would be a slow one."""
    return text.replace(" quiet ", f" quiet {PATIENCE} ").replace(
        "</system>",
        '<protection_domain name="spinner" program="looper.elf" priority="1"/></system>')


def made_iso(folder, edit, *files):
    """The example with its description edited, and these files beside it. Its kernel is the release
    one: the debug kernel takes no interrupt while it checks all objects, which is long for a loop
    of a millisecond."""
    for path in (*EXAMPLE.parent.glob("*.[ch]"), *files):
        (folder / path.name).write_bytes(path.read_bytes())
    description = folder / EXAMPLE.name
    description.write_text(edit(EXAMPLE.read_text()))
    return product.make_iso(description, folder / "mission.iso", "release")


class Run:
    """A machine and what it has said so far; each script has a log of its own."""

    def __init__(self, running, name):
        self.running = running
        self.name = name
        self.text = ""
        self.scripts = 0
        self.why = None
        self.log = ""

    def play(self, *steps):
        """Nothing more is played once a script has not come to its end."""
        if self.why is None:
            self.scripts += 1
            self.why, text, self.log = machine_tests.watch(
                self.running, f"{self.name.replace('/', '-')}-{self.scripts}", steps)
            self.text += text

    def keyboard_to(self, guest):
        """Whose it is at first, is not certain; the display has a console as well."""
        while self.why is None and KEYBOARD.findall(self.text)[-1:] != [guest]:
            self.play(("send", NEXT_CONSOLE), ("until", "now belongs to "), ("until", "\n"))
        self.play(("send", ""))

    def outcome(self):
        return results.failed(self.name, f"{self.why}\n{self.running.output(400)}", self.log) \
            if self.why else results.passed(self.name)


def fact(name, holds, said):
    return results.passed(name, said) if holds else results.failed(name, said)


def control(text):
    """(periods, missed, latest start) of the last line of the loop."""
    found = CONTROL.findall(text)
    return tuple(map(int, found[-1])) if found else (0, 0, 0)


def deadlines(name, text, least, right=lambda missed: missed == 0):
    """So many periods passed, and the right number was missed."""
    passed, missed, latest = control(text)
    return fact(f"{name}/deadlines", passed >= least and right(missed),
                f"{passed} periods, {missed} missed, the latest start after {latest} us")


def filtered(name, text, guest, *kinds):
    """Frames of each of these kinds came from the guest."""
    found = [row for row in COUNTS.finditer(text) if row["guest"] == guest]
    counts = found[-1].groupdict() if found else {}
    return fact(f"{name}/filter-{guest}", all(int(counts.get(kind, 0)) > 0 for kind in kinds),
                ", ".join(f"{kind} {count}" for kind, count in counts.items()))


def periods(text):
    return control(text)[0]


def log_in(guest):
    return [("until", f"{guest} login:"), ("send", "root"), ("until", f"root@{guest}:~#")]


def load(guest):
    peer = ADDRESSES[OTHER[guest]]
    return [step for line in LOAD
            for step in (("send", line.format(peer=peer)), ("until", f"root@{guest}:~#"))]


def crash(guest):
    return [("send", "echo c >/proc/sysrq-trigger"), *log_in(guest), *load(guest)]


def play(run):
    # Before the first line nothing is there that could read a key.
    run.play(("until", "control: "))
    for guest in ADDRESSES:
        run.keyboard_to(guest)
        run.play(*log_in(guest), *load(guest))
    start = periods(run.text)
    for guest in ADDRESSES:
        run.keyboard_to(guest)
        run.play(*crash(guest))
    rest = LOAD_SECONDS - (periods(run.text) - start) // PERIODS_PER_SECOND
    run.play(*[("until", "control: ")] * max(1, rest // SECONDS_PER_LINE + 2))
    for guest in ADDRESSES:
        run.keyboard_to(guest)
        run.play(("send", "echo alive-$((1+1))"), ("until", "alive-2"))
    run.play(("until", "from left: "), ("until", "from right: "), ("until", "control: "),
             ("until", "height"))


def run():
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    FOLDER.mkdir(parents=True, exist_ok=True)
    images = {guest: made_image(guest) for guest in ADDRESSES}
    running = machine.QemuMachine(
        iso=made_iso(FOLDER, patient, SPINNER), cpu="max", memory=MEMORY, clock="emulated",
        limit=LIMIT, disks=disks.Disks(virtio=images["left"], ide=images["right"]))
    with running:
        played = Run(running, NAME)
        play(played)
        text = played.text
        return [played.outcome(), deadlines(NAME, text, LOAD_SECONDS * PERIODS_PER_SECOND),
                *(filtered(NAME, text, guest, "ARP", "ping", "ssh", "UDP", "dropped_TCP",
                           "dropped_UDP") for guest in ADDRESSES)]
