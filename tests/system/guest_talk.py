# SPDX-License-Identifier: BSD-2-Clause
"""A Linux guest and a component exchange lines through the guest's second serial port, in Bochs."""

from nacre import emulator, machine, places, product
from nacre.system_tests import judge

SECONDS = 900
PROMPT = "nacre-guest# "
DESCRIPTION = places.ROOT / "examples" / "guest_talk" / "guest_talk.system"


def check():
    iso = product.make_iso(DESCRIPTION, places.BUILD / "system-tests" / "guest_talk.iso")
    running = machine.BochsMachine(iso=iso, memory=emulator.MEMORY, limit=SECONDS)
    return judge("guest-talk", running, [
        ("until", "[greeter] waiting for the guest"), ("until", PROMPT),
        ("send", "stty -F /dev/ttyS1 raw -echo; cat /dev/ttyS1 &"), ("until", PROMPT),
        ("send", "echo hello >/dev/ttyS1"),
        ("until", "[greeter] the guest says: hello"), ("until", "greeter: hello to you, too"),
        ("send", "seq 1 400 >/dev/ttyS1"),
        ("until", "[greeter] the guest says: 400"), ("until", "greeter: 400 to you, too")])[0]


ROWS = [("guest-talk", "a component and the guest talk over the guest's second serial port", check)]
