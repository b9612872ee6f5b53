# SPDX-License-Identifier: BSD-2-Clause
"""Linux guests on other cores than the first, with their monitors, beside components there: in QEMU
by AMD-V."""

from nacre import places
from nacre.machine import emulator, machine
from nacre.report import Failure
from nacre.test.system_tests import inflated_kernel, judge, keyboard_to, replaced_iso

SECONDS = 900
PROMPT = "nacre-guest# "
EXAMPLES = places.ROOT / "examples"
ONE = EXAMPLES / "linux_guest" / "linux_guest.system"
TWO = EXAMPLES / "two_guests" / "two_guests.system"
CORE_1_UP = "cores: core 1, "


def start(name, description, guest):
    """The system with one of its guests on core 1."""
    before, element, after = description.read_text().partition(
        f'<virtual_machine name="{guest}"')
    if not element:
        raise Failure(f"{description} has no guest {guest}")
    iso = replaced_iso(name, {places.GUEST_KERNEL.name: inflated_kernel()}, system=description,
                       edit=lambda _: f'{before}{element} cpu="1"{after}')
    return machine.QemuMachine(iso=iso, memory=emulator.MEMORY, limit=SECONDS, cpu="max",
                               clock="emulated", cores=2)


def check_one():
    """The console's driver, the timer and the client are on core 0: all that the guest prints or
    waits for crosses cores. It starts again there."""
    running = start("guest-core-svm", ONE, "linux")
    return judge("guest-core-svm", running, [
        ("until", CORE_1_UP), ("until", "round trips"), ("until", PROMPT),
        ("send", "echo sum-$(seq 1 300 | awk '{ s += $1 } END { print s }')"),
        ("until", "sum-45150"), ("until", PROMPT),
        ("send", "sleep 2; echo slept-$((1+1))"), ("until", "slept-2"),
        ("until", "round trips"),
        ("send", "poweroff"), ("until", "powered off"), ("send", "\x01r"),
        ("until", "guest reset by the terminal"), ("until", PROMPT)])[0]


def check_two():
    """Each guest has a core, and the component between them is on that of the second one."""
    running = start("guests-cores-svm", TWO, "left")
    opened = "stty -F /dev/ttyS1 raw -echo; cat /dev/ttyS1 & sleep 1; echo open-$((1+1))"
    right = "hello from right"
    return judge("guests-cores-svm", running, [
        ("until", CORE_1_UP), ("until", PROMPT), *keyboard_to(1, "left", PROMPT),
        ("send", opened), ("until", "open-2"), *keyboard_to(2, "right", PROMPT),
        # Once as it is typed, once at the other guest.
        ("send", f"echo {right} >/dev/ttyS1"), ("until", right), ("until", right)])[0]


ROWS = [
    ("guest-core-svm", "a guest on the second core boots to its shell beside components on the "
     "first, computes, sleeps, powers off and starts again", check_one),
    ("guests-cores-svm", "two guests on two cores boot, and one's line comes to the other's shell",
     check_two),
]
