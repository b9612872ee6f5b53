# SPDX-License-Identifier: BSD-2-Clause
"""A boot log with a hardware report, turned into a board file, which tools/compose/machine.py
reads."""

import re

from compose import machine
from nacre.pc import check
from nacre.report import Failure

REPORT = re.compile(r"report: ([a-z0-9-]+)(.*)")
WORD = re.compile(r'\s+([a-z0-9-]+)=("[^"]*"|\S+)')
# Numbers that the report writes as PCI's documents do.
HEXADECIMAL = {"pci": ("vendor", "device", "class")}
# Kinds of lines of which there may be many, and what the list of them is called.
LISTS = {"map": "map", "untyped": "untyped", "acpi": "acpi", "core": "cores", "ioapic": "ioapics",
         "override": "overrides", "pci": "pci", "bar": "bars", "pci-space": "pci-spaces"}
NEEDED = ("cpu", "kernel")
# What only the kernel knows, from the lines of its boot log that begin so.
KERNEL_LINES = ("cpu", "clock", "cores", "iommu", "vmx", "svm", "apic", "mitigations", "selftest",
                "Nacre")
PINS = re.compile(r"ioapic (\d+): (\d+) pins at ([0-9a-f]+)")
ADVICE = ("boot the entry `hardware report` of the boot menu, or with the option report=on, and "
          "save all that comes on the serial line")


def value_of(kind, name, text):
    if text.startswith('"'):
        return text[1:-1]
    base = 16 if name in HEXADECIMAL.get(kind, ()) else 0
    try:
        return int(text, base)
    except ValueError:
        return text


def words_of(kind, text, place):
    """The words of a line; each character of it belongs to one."""
    found = WORD.findall(text)
    if WORD.sub("", text).strip():
        raise Failure(f"{place}: not a line of a report as it was printed: {text.strip()[:60]}; "
                      "characters were lost on the serial line, or others printed between")
    return {name: value_of(kind, name, value) for name, value in found}


def last_report(lines, path):
    """(line number, kind, rest) of the last report that is whole."""
    found, complete = None, None
    for number, line in enumerate(lines, 1):
        match = REPORT.search(line)
        if not match:
            continue
        kind, rest = match.groups()
        if kind == "begin":
            found = []
        if found is None:
            continue
        found.append((number, kind, rest))
        if kind == "end":
            found, complete = None, found
    if complete is None:
        what = "the report has no end: the log was cut" if found else "there is no report in it"
        raise Failure(f"{path}: {what}; {ADVICE}")
    return complete


def of_log(text, path):
    """The board of a log; Failure names the line that is wrong."""
    lines = [line.rstrip() for line in text.replace("\r", "").split("\n")]
    board = {name: [] for name in LISTS.values()}
    for number, kind, rest in last_report(lines, path):
        words = words_of(kind, rest, f"{path}:{number}")
        if kind == "begin" and words.get("form") != machine.FORM:
            raise Failure(f"{path}:{number}: a report of form {words.get('form')}, not "
                          f"{machine.FORM}: it is of another version of Nacre")
        missing = [name for name in machine.LISTS.get(LISTS.get(kind), ()) if name not in words]
        if missing:
            raise Failure(f"{path}:{number}: the line lacks {', '.join(missing)}; {ADVICE}")
        if kind in LISTS:
            board[LISTS[kind]].append(words)
        elif kind not in ("begin", "end"):
            board[kind] = words
    for kind in NEEDED:
        if kind not in board:
            raise Failure(f"{path}: the report has no line `report: {kind}`; {ADVICE}")
    add_from_kernel(board, lines)
    add_drivers(board)
    return {"form": machine.FORM, **board}


def add_from_kernel(board, lines):
    """Pins of I/O APICs, and lines about the rest for people."""
    pins = {int(address, 16): int(count) for line in lines
            for _, count, address in PINS.findall(line)}
    for ioapic in board["ioapics"]:
        if ioapic.get("address") in pins:
            ioapic["pins"] = pins[ioapic["address"]]
    board["log"] = [line for line in lines if re.match(rf"({'|'.join(KERNEL_LINES)})\b", line)]


def add_drivers(board):
    """To each function its memory and ports, and the driver that would take it."""
    bars = board.pop("bars")
    for row in board["pci"]:
        row["bars"] = [{name: value for name, value in bar.items() if name != "function"}
                       for bar in bars if bar.get("function") == row.get("function")]
        driver = check.driver_of(row["class"] >> 8, row["vendor"], row["device"])
        row["driver"] = driver or "none"


def shown(board):
    """Lines for people: what there is, in the words of `./nacre check-pc`."""
    cpu, kernel = board["cpu"], board["kernel"]
    for kind in ("machine", "board", "firmware"):
        if kind in board:
            yield f"{kind}: {', '.join(str(text) for text in board[kind].values())}"
    yield f"CPU: {cpu.get('name', cpu.get('vendor', 'unknown'))}, {kernel['cores']} cores are up"
    engines = [name for name, key in (("VT-x", "vt-x"), ("AMD-V", "amd-v")) if cpu.get(key)]
    yield f"guests: {' and '.join(engines) or 'neither VT-x nor AMD-V is seen'}"
    free = sum(row["length"] for row in board["untyped"] if not row["device"])
    yield f"memory: {free >> 20} MiB free for programs, in {len(board['map'])} ranges of the map"
    yield f"IOMMU: {'used' if kernel['iommu-levels'] else 'none that is used'}"
    yield f"interrupts: I/O APICs: {len(board['ioapics'])}, " \
          f"with {sum(row.get('pins', 0) for row in board['ioapics'])} pins"
    for row in board["pci"]:
        yield (f"PCI {row['function']}: {row['vendor']:04x}:{row['device']:04x}, class "
               f"{row['class'] >> 8:04x}, group {row['group']}: driver {row['driver']}")
    yield from (line for line in board["log"] if line.startswith("selftest:"))
