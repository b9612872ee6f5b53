# SPDX-License-Identifier: BSD-2-Clause
"""<passthrough>: a PCI device that the guest drives itself."""
import re

from compose.fields import Fields
from compose.layout import LIMITS
from compose.short.pci import Pci
from compose.short.plan import hexadecimal, numbered

MOST = 4
PCI_CHANNEL = 24
FIRST_MESSAGE, MESSAGES = 28, 8  # channels of the monitor for those of each device
USUAL_MESSAGES = 4
FIRST_VECTOR = 32  # behind those of implied drivers
# Below the guest's configuration registers and I/O APIC, and in the monitor behind other maps.
FIRST_WINDOW = 0xD000_0000
_CONDITIONS = {
    "pci": (re.compile(r"0000:([0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7])\Z"), "at",
            "segment:bus:device.function in hexadecimal, of segment 0, like 0000:03:00.0"),
    "id": (re.compile(r"([0-9a-fA-F]{4}:[0-9a-fA-F]{4})\Z"), "id",
           "vendor:device in hexadecimal, like 8086:10d3"),
    "class": (re.compile(r"([0-9a-fA-F]{4})\Z"), "class",
              "class and subclass in hexadecimal, like 0108"),
}


class Vectors:
    """Of messages, in the order of the description."""

    def __init__(self, *_):
        self.next = FIRST_VECTOR


def _words(plan, element, fields):
    """The conditions of its grant."""
    words = []
    for name, (pattern, word, right) in _CONDITIONS.items():
        if not fields.has(name):
            continue
        match = pattern.match(fields.text(name))
        if match:
            words.append(f"{word}={match.group(1).lower()}")
        else:
            plan.problems.add(element, f"{name}='{fields.text(name)}' on <passthrough>: must be "
                                       f"{right}")
            return None
    if not words:
        plan.problems.add(element, "<passthrough> needs pci=, id= or class=")
    return " ".join(words)


def expand(plan, domain, element):
    fields = Fields(element, plan.problems, (*_CONDITIONS, "messages", "shared_group",
                                              "any_interrupt"))
    count = fields.number("messages", USUAL_MESSAGES, low=1, high=MESSAGES)
    shared = {"shared_group": "true"} if fields.boolean("shared_group", False) else {}
    any_interrupt = ({"any_interrupt": "true"} if fields.boolean("any_interrupt", False) else {})
    words = _words(plan, element, fields)
    index = domain.number("passthrough")
    if index >= MOST:
        plan.problems.add(element, f"a guest has {MOST} <passthrough> at most")
    if not words or index >= MOST:
        return
    vectors = plan.service(Vectors, element)
    first, vectors.next = vectors.next, vectors.next + count
    domain.add(element, "dma", mr=domain.ram, device=str(index), iovaddr="0x0", **shared)
    for number in range(count):
        domain.add(element, "irq", id=str(FIRST_MESSAGE + MESSAGES * index + number),
                   device=str(index), handle=str(number), vector=str(first + number))
    domain.guest.children.append(element.make("passthrough", {
        "device": str(index), "vaddr": hexadecimal(FIRST_WINDOW + LIMITS.PASSED_WINDOW * index),
        "setvar_vaddr": numbered("passed", index, "_vaddr"),
        **any_interrupt}))
    plan.service(Pci, element).grant(domain, element, PCI_CHANNEL,
                                     f"{words} msi={first} messages={count}")
