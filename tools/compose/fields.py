# SPDX-License-Identifier: BSD-2-Clause
"""Attributes of one element, read by kind: text, number, boolean, choice, PCI address."""
import re

from compose import sizes

_NUMBER = re.compile(r"(0x\+?[0-9a-fA-F]+|\+?[0-9]+)\Z")
_PCI = re.compile(r"([0-9a-fA-F]+):([0-9a-fA-F]+)\.([0-9a-fA-F]+)\Z")
# Elements that take no others.
_LEAVES = {"memory_region", "program_image", "map", "irq", "ioport", "setvar", "end", "vcpu",
           "iomap", "domain", "schedule_entry", "schedule_end_marker", "cap_tcb", "cap_sc",
           "cap_vspace", "dma", "passthrough", "console", "timer", "tsc_info", "disk", "network",
           "settings", "peer", "port", "stream", "switch", "control", "screen"}
_DIGITS = 40
_UNITS = {"K": 10, "M": 20, "G": 30}
NUMBER_EXAMPLES = "a number like 4096, 0x1000 or 0x10_0000"


def parse_number(text):
    """The value of decimal or 0x text with underscores anywhere, or None."""
    digits = text.replace("_", "")
    if not _NUMBER.match(digits):
        return None
    base = 16 if digits.startswith("0x") else 10
    digits = digits.removeprefix("0x").replace("+", "").lstrip("0")
    # So many are beyond every bound, and Python refuses thousands.
    return int(digits[:_DIGITS] or "0", base)


def parse_size(text):
    """Bytes of a number, or of one with K, M or G behind it, or None."""
    shift = _UNITS.get(text[-1:], 0)
    number = parse_number(text[:-1] if shift else text)
    return number << shift if number is not None else None


class Fields:
    """The attributes of one element. Reads with problems instead of exceptions: a wrong value
    becomes a harmless one, so that checking continues."""

    def __init__(self, element, problems, known):
        self.element = element
        self.problems = problems
        for child in element.children if element.name in _LEAVES else ():
            problems.add(child, f"unknown element <{child.name}> under <{element.name}>; "
                                "it takes none")
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        for name in element.attributes:
            if name not in known:
                problems.add(
                    element, f"unknown attribute '{name}' on <{element.name}>; {takes}"
                )

    def _wrong(self, name, value, right):
        self.problems.add(
            self.element,
            f"{name}='{value}' on <{self.element.written().name}>: must be {right}",
        )

    def has(self, name):
        return name in self.element.attributes

    def text(self, name, default=None, required=False):
        if name in self.element.attributes:
            return self.element.attributes[name]
        if required:
            self.problems.add(self.element, f"<{self.element.name}> needs the attribute '{name}'")
            if name == "name":
                self.problems.nameless.add(self.element.name)
            return "?"
        return default

    def number(self, name, default=None, required=False, low=0, high=2**64 - 1):
        value = self.text(name, None, required)
        if not self.has(name):
            return low if required else default
        number = parse_number(value)
        if number is None:
            self._wrong(name, value, NUMBER_EXAMPLES)
            return low
        if not low <= number <= high:
            self._wrong(name, value, f"from {low} to {high} (0x{high:x})")
            return low
        return number

    def size(self, name, required=False, low=0, high=2**64 - 1, unit=1):
        """Bytes, also with K, M or G behind the number."""
        value = self.text(name, None, required)
        if not self.has(name):
            return low if required else None
        size = parse_size(value)
        if size is None:
            self._wrong(name, value, "a number of bytes, or of K, M or G, like 256M")
        elif not low <= size <= high:
            self._wrong(name, value, f"from {sizes.exact(low)} to {sizes.exact(high)}")
        elif size % unit:
            self._wrong(name, value, f"a multiple of {sizes.exact(unit)}")
        else:
            return size
        return low

    def boolean(self, name, default):
        value = self.text(name)
        if value is None:
            return default
        if value not in ("true", "false"):
            self._wrong(name, value, "'true' or 'false'")
            return default
        return value == "true"

    def choice(self, name, default, choices):
        value = self.text(name, default)
        if value not in choices:
            self._wrong(name, value, "one of " + ", ".join(choices))
            return default
        return value

    def dma_rights(self):
        """perms= of what a device reaches."""
        perms = self.text("perms", "rw")
        if perms and not set(perms) - set("rw"):
            return perms
        self._wrong("perms", perms, "r, w or rw")
        return "r"

    def pci(self, name):
        value = self.text(name, required=True)
        if not self.has(name):
            return (0, 0, 0)
        match = _PCI.match(value)
        parts = tuple(int(part, 16) for part in match.groups()) if match else (256, 0, 0)
        if parts[0] > 0xFF or parts[1] > 0x1F or parts[2] > 7:
            self._wrong(name, value, "bus:device.function in hexadecimal, like 0:1f.2")
            return (0, 0, 0)
        return parts
