# SPDX-License-Identifier: BSD-2-Clause
"""A board file: what one machine has, as `./nacre inspect` writes it, for the composer's checks."""

import json
import re

FORM = 1
# Lists of a board file, and the numbers that each of their rows has.
LISTS = {
    "untyped": ("base", "length", "device"),
    "ioapics": ("id", "address", "first"),
    "pci": ("vendor", "device", "class", "group"),
}
NUMBERS = {"kernel": ("cores", "tsc-hz", "iommu-levels"), "cpu": ("vt-x", "amd-v")}
FUNCTION = re.compile(r"[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


class BoardError(Exception):
    """What is wrong with the file, and what to do."""


def _has_numbers(row, names):
    return isinstance(row, dict) and all(
        isinstance(row.get(name), int) and row[name] >= 0 for name in names)


def _trouble(data):
    """What a reader would stumble over, or None."""
    if not isinstance(data, dict) or data.get("form") != FORM:
        return f"is no board file of form {FORM}"
    for name, numbers in NUMBERS.items():
        if not _has_numbers(data.get(name), numbers):
            return f"'{name}' has not the numbers {', '.join(numbers)}"
    for name, numbers in LISTS.items():
        rows = data.get(name)
        if not isinstance(rows, list):
            return f"has no list '{name}'"
        for index, row in enumerate(rows):
            if not _has_numbers(row, numbers):
                return f"'{name}', row {index}: has not the numbers {', '.join(numbers)}"
    for index, row in enumerate(data["pci"]):
        if not FUNCTION.fullmatch(str(row.get("function"))):
            return f"'pci', row {index}: has no function as 00:1f.2"
    return None


class Machine:
    """What a board file says."""

    def __init__(self, path):
        self.path = path
        try:
            with open(path, encoding="utf-8") as file:
                data = json.load(file)
        except OSError as error:
            raise BoardError(f"{path}: cannot be read: {error.strerror}") from None
        except json.JSONDecodeError as error:
            raise BoardError(f"{path}:{error.lineno}: is no JSON: {error.msg}; make it anew by "
                             "`./nacre inspect`") from None
        except ValueError:
            raise BoardError(f"{path}: is no text; make it by `./nacre inspect`") from None
        trouble = _trouble(data)
        if trouble:
            raise BoardError(f"{path}: {trouble}; make it anew by `./nacre inspect`")
        self.cores = data["kernel"]["cores"]
        self.has_iommu = data["kernel"]["iommu-levels"] > 0
        self.has_guests = bool(data["cpu"]["vt-x"] or data["cpu"]["amd-v"])
        self.ioapics = data["ioapics"]
        self.functions = data["pci"]
        self.ranges = sorted((row["base"], row["base"] + row["length"]) for row in data["untyped"])
        self.free = sum(row["length"] for row in data["untyped"] if not row["device"])

    def missing(self, start, size):
        """The first address of these that no program can have, or None."""
        for first, end in self.ranges:
            if first <= start < end:
                size -= end - start
                start = end
            if size <= 0:
                return None
        return start

    def pins(self, number):
        """Of the I/O APIC of this number; None if there is none, or it is not known."""
        return self.ioapics[number].get("pins") if number < len(self.ioapics) else None

    def fitting(self, words):
        """PCI functions that all conditions of a grant's words fit, in the order of the buses."""
        return [row for row in self.functions
                if all(_fits(row, *word.partition("=")[::2]) for word in words.split())]


def _fits(row, name, value):
    """Whether a function fits one condition; those on what it is to be given fit all."""
    if name == "id":
        return value.lower() == f"{row['vendor']:04x}:{row['device']:04x}"
    if name == "class":
        return value.lower() == f"{row['class'] >> 8:04x}"
    if name == "at":
        return _place(value) == _place(row["function"])
    return True


def _place(text):
    """Bus, device and function."""
    try:
        return [int(number, 16) for number in re.split("[:.]", text)]
    except ValueError:
        return text
