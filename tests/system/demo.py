# SPDX-License-Identifier: BSD-2-Clause
"""The demo as a person meets it: components and a guest, in Bochs by VT-x and in QEMU by AMD-V."""

import subprocess

from nacre import places
from nacre.machine import emulator, machine
from nacre.test import bochs_warnings, results
from nacre.test.system_tests import demo_iso, judge

PROMPT = "nacre-guest# "
CLIENT = "[client]"
GUEST_SECONDS = 900
REFUSED = "': error "
# Whether large frames of guests want a table below is found out by one call.
MOST_REFUSED = 1


def guest_results(name, text):
    """What the log of a whole guest session must show besides the script's texts."""
    before, _, after = text.partition("nacre-guest#")
    for part, where in ((before, "before"), (after, "after")):
        if CLIENT in part:
            yield results.passed(f"system/{name}/client-{where}-prompt")
        else:
            yield results.failed(f"system/{name}/client-{where}-prompt",
                                 f"no line of {CLIENT} {where} the guest's prompt")
    for fact in ("kernel: Linux version", "uptime: ", "memory: ", "cpu flags: "):
        if fact in text:
            yield results.passed(f"system/{name}/prints-{fact.split(':')[0].replace(' ', '-')}")
        else:
            yield results.failed(f"system/{name}/prints-{fact.split(':')[0].replace(' ', '-')}",
                                 f"the guest did not print its {fact!r} line")
    refused = text.count(REFUSED)
    name = f"system/{name}/calls-in-vain"
    yield results.passed(name) if refused <= MOST_REFUSED else results.failed(
        name, f"{refused} lines of {REFUSED!r}")


def check_session(name, running, more=()):
    found, text = judge(name, running, [
        # The demo has no virtio device, so no driver of one is loaded.
        ("until", PROMPT), ("send", "echo modules-$(grep -c . /proc/modules)"),
        ("until", "modules-0"),
        ("until", PROMPT), *more, ("send", "echo answer-$((6 * 7))"), ("until", "answer-42"),
        ("until", PROMPT), ("send", "\x01c"), ("until", "now belongs to client"),
        # The screen's component has a console, too: it printed a line.
        ("send", "\x01c"), ("until", "now belongs to screen"),
        ("send", "\x01c"), ("until", "now belongs to linux"), ("until", PROMPT),
        ("until", CLIENT), ("send", "\x01bh"), ("until", "sysrq: HELP"),
        ("until", CLIENT), ("send", "poweroff"), ("until", "powered off"),
        ("until", CLIENT), ("send", "\x01r"), ("until", "guest reset by the terminal"),
        ("until", CLIENT)])
    return [*found, *guest_results(name, text)], text


def check_guest():
    found, text = check_session("guest-shell", machine.BochsMachine(
        iso=demo_iso(), memory=emulator.MEMORY, limit=GUEST_SECONDS), bochs_warnings.SHOW)
    return [*found, bochs_warnings.judge("system/guest-shell/warnings", text)]


def check_guest_svm():
    return check_session("guest-shell-svm", machine.QemuMachine(
        iso=demo_iso(), memory=emulator.MEMORY, limit=GUEST_SECONDS, cpu="max"))[0]


def check_command():
    """`./nacre run --until` ends with 0 when the text comes and with another status when not."""
    command = [places.ROOT / "nacre", "run", "--iso", demo_iso(), "--emulator", "qemu"]
    found = []
    for text, bound, expected in ((CLIENT, [], 0), ("never said", ["--timeout", "5"], 1)):
        status = subprocess.run([*command, "--until", text, *bound],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, check=False).returncode
        name = f"system/command/status-{expected}"
        found.append(results.passed(name) if status == expected else
                     results.failed(name, f"status {status} instead of {expected}"))
    return found


ROWS = [
    ("command", "`./nacre run --until` returns by its status whether the text was seen",
     check_command),
    ("guest-shell", "Debian's kernel boots to a shell beside the components, takes a command "
     "and powers off; its kernel prints no warning that is not printed on the bare machine",
     check_guest),
    ("guest-shell-svm", "the same by AMD-V, in QEMU", check_guest_svm),
]
