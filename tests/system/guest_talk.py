# SPDX-License-Identifier: BSD-2-Clause
"""A Linux guest, in Bochs by VT-x and in QEMU by AMD-V: exchanges lines with a component through
its second serial port, runs many short programs, and a full-screen one in the terminal's raw view;
it boots again from there."""

from nacre import places
from nacre.machine import emulator, machine
from nacre.test import results
from nacre.test.system_tests import inflated_kernel, judge, keyboard_to, replaced_iso

SECONDS = 900
PROMPT = "nacre-guest# "
TWO_GUESTS = places.ROOT / "examples" / "two_guests" / "two_guests.system"
DESCRIPTION = places.ROOT / "examples" / "guest_talk" / "guest_talk.system"
# The kernel's self-tests of ciphers are half the boot.
COMMAND_LINE = f"{places.GUEST_COMMAND_LINE.read_text().strip()} cryptomgr.notests=1"
# Each starts three programs, whose vector registers the guest's kernel keeps and restores.
PIPELINES = "$(for i in $(seq 100); do echo x | cat | wc -l; done | grep -c 1)"
RAW_BEGINS, RAW_ENDS = "raw view: Ctrl-A v ends it", "lines of others were not shown"


def raw_results(name, text):
    """What the terminal must show of a full-screen program."""
    view = text.partition(RAW_BEGINS)[2].partition(RAW_ENDS)[0]
    facts = (("full-screen", "\x1b[" in view and "~" in view, "nothing was drawn"),
             ("no-labels", "[linux]" not in view and "[greeter]" not in view,
              "labels are in the raw view"))
    for fact, good, problem in facts:
        full = f"system/{name}/{fact}"
        yield results.passed(full) if good else results.failed(full, problem)


def check(name, start):
    iso = replaced_iso(name, {places.GUEST_KERNEL.name: inflated_kernel(),
                              places.GUEST_COMMAND_LINE.name: COMMAND_LINE.encode()},
                       system=DESCRIPTION)
    found, text = judge(name, start(iso), [
        ("until", "[greeter] waiting for the guest"), ("until", PROMPT),
        ("send", "stty -F /dev/ttyS1 raw -echo; cat /dev/ttyS1 & sleep 1; echo open-$((1+1))"),
        ("until", "open-2"),
        ("send", "echo hello >/dev/ttyS1"),
        ("until", "[greeter] the guest says: hello"), ("until", "greeter: hello to you, too"),
        ("send", "seq 1 400 >/dev/ttyS1"),
        ("until", "[greeter] the guest says: 400"), ("until", "greeter: 400 to you, too"),
        ("send", f"echo pipelines-{PIPELINES}"), ("until", "pipelines-100"), ("until", PROMPT),
        ("send", "echo first >/tmp/note; stty rows 20 cols 70"), ("until", PROMPT),
        ("send", "\x01v echo unseen >/dev/ttyS1; vi /tmp/note"), ("until", "~"),
        ("send", ":s/first/second/"), ("until", "second"), ("send", ":wq"), ("until", PROMPT),
        ("send", "\x01v cat /tmp/note; stty size"), ("until", RAW_ENDS),
        ("until", "second"), ("until", "20 70"), ("until", PROMPT),
        ("send", "poweroff"), ("until", "powered off"),
        ("send", "\x01r"), ("until", "guest reset by the terminal"), ("until", "Linux version")])
    return found + list(raw_results(name, text))


def check_two():
    """By AMD-V in QEMU: lines of one guest at the other, and one that is kept back."""
    iso = replaced_iso("two-guests", {places.GUEST_KERNEL.name: inflated_kernel()},
                       system=TWO_GUESTS)
    running = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, limit=SECONDS, cpu="max")
    hello = "hello from right"
    return judge("two-guests", running, [
        ("until", "[between] waiting for the guests"), ("until", PROMPT),
        *keyboard_to(1, "left", PROMPT),
        # What comes before the port is open is lost.
        ("send", "stty -F /dev/ttyS1 raw -echo; cat /dev/ttyS1 & sleep 1; echo open-$((1+1))"),
        ("until", "open-2"),
        *keyboard_to(2, "right", PROMPT),
        # Once as it is typed, once at the other guest.
        ("send", f"echo {hello} >/dev/ttyS1"), ("until", hello), ("until", hello),
        ("send", "echo a secret >/dev/ttyS1"),
        ("until", "[between] kept from the other guest: a secret")])[0]


def check_vtx():
    return check("guest-talk", lambda iso: machine.BochsMachine(
        iso=iso, memory=emulator.MEMORY, limit=SECONDS))


def check_svm():
    return check("guest-talk-svm", lambda iso: machine.QemuMachine(
        iso=iso, memory=emulator.MEMORY, limit=SECONDS, clock="emulated", cpu="max"))


ROWS = [
    ("guest-talk", "a component and the guest talk over the guest's second serial port; a hundred "
     "pipelines run; the raw view shows a full-screen program; it restarts", check_vtx),
    ("guest-talk-svm", "the same by AMD-V, in QEMU", check_svm),
    ("two-guests", "a component between two guests passes lines and keeps one back", check_two),
]
