# SPDX-License-Identifier: BSD-2-Clause
"""A PC as Linux shows it: files of /proc, /sys and /dev, or of a recorded tree of them."""

import pathlib
import re
import struct

# Where the tables' bytes begin (ACPI 6.5, 5.2.6), and what has no checksum at that place.
HEADER = 36
NO_TABLES = ("data", "dynamic")
NO_CHECKSUM = ("FACS",)
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


class Linux:
    """Reads below `root`. What is there and may not be read is in `denied`."""

    def __init__(self, root="/"):
        self.root = pathlib.Path(root)
        self.denied = []

    def data(self, name):
        """A file's bytes; None if it is not there or may not be read."""
        try:
            return (self.root / name).read_bytes()
        except PermissionError:
            self.denied.append(name)
        except OSError:
            pass
        return None

    def text(self, name):
        data = self.data(name)
        return None if data is None else data.decode(errors="replace").strip("\0\n ")

    def number(self, name):
        """A file with a number, as `0x3f8`; None if it is none."""
        try:
            return int(self.text(name) or "", 0)
        except ValueError:
            return None

    def names(self, name):
        try:
            return sorted(path.name for path in (self.root / name).iterdir())
        except OSError:
            return []

    def at(self, name, offset, size):
        """Bytes of a device that has them at addresses; None if it has none there."""
        try:
            with (self.root / name).open("rb", buffering=0) as file:
                file.seek(offset)
                data = file.read(size)
        except PermissionError:
            self.denied.append(name)
            return None
        except OSError:
            return None
        return data if len(data) == size else None

    def processors(self):
        """The lines of /proc/cpuinfo of each processor as a dictionary."""
        blocks = (self.text("proc/cpuinfo") or "").split("\n\n")
        return [dict(re.findall(r"^([^\t:]+)\t*: ?(.*)$", block, re.MULTILINE))
                for block in blocks if block.strip()]

    def cpuid(self, leaf, subleaf=0):
        """EAX to EDX of the first processor, zeros where it has no such leaf; None if unknown."""
        def read(number, part):
            data = self.at("dev/cpu/0/cpuid", number | part << 32, 16)
            return data and struct.unpack("<4I", data)
        most = read(leaf & 0x80000000, 0)
        if most is None:
            return None
        return read(leaf, subleaf) if leaf <= most[0] else (0, 0, 0, 0)

    def msr(self, number):
        """An MSR of the first processor; None if unknown."""
        data = self.at("dev/cpu/0/msr", number, 8)
        return data and int.from_bytes(data, "little")

    def tables(self):
        """ACPI's tables: name -> bytes, None where they may not be read."""
        folder = "sys/firmware/acpi/tables"
        return {name: self.data(f"{folder}/{name}") for name in self.names(folder)
                if name not in NO_TABLES}

    def memory_map(self):
        """(first, last, kind) of the firmware's ranges; empty if unknown."""
        folder = "sys/firmware/memmap"
        rows = [(self.number(f"{folder}/{name}/start"), self.number(f"{folder}/{name}/end"),
                 self.text(f"{folder}/{name}/type")) for name in self.names(folder)]
        return sorted(row for row in rows if None not in row)

    def memory_kib(self):
        """What Linux has of RAM, which is somewhat less than there is."""
        found = re.search(r"^MemTotal:\s+(\d+) kB", self.text("proc/meminfo") or "", re.MULTILINE)
        return int(found[1]) if found else None

    def pci(self):
        """(address, class, vendor, device) of each function."""
        folder = "sys/bus/pci/devices"
        rows = [(name, *(self.number(f"{folder}/{name}/{what}")
                         for what in ("class", "vendor", "device"))) for name in self.names(folder)]
        return [row for row in rows if None not in row]

    def serial_ports(self):
        """(name, address) of the ports that Linux has found, at I/O addresses."""
        folder = "sys/class/tty"
        return [(name, self.number(f"{folder}/{name}/port"))
                for name in self.names(folder) if re.fullmatch(r"ttyS\d+", name)
                and self.number(f"{folder}/{name}/type") and self.number(f"{folder}/{name}/port")]

    def has_secure_boot(self):
        """None where there is no such variable."""
        data = self.data(SECURE_BOOT)
        return data[-1] == 1 if data else None

    def board(self):
        """Maker and name of machine and board, and the firmware's version, but no serial number."""
        return [text for name in ("sys_vendor", "product_name", "board_name", "bios_version")
                if (text := self.text(f"sys/class/dmi/id/{name}"))]


def is_whole(name, table):
    """Whether a table has the length that it says, and its checksum."""
    if name in NO_CHECKSUM:
        return True
    length = int.from_bytes(table[4:8], "little")
    return len(table) >= HEADER and length == len(table) and sum(table) % 256 == 0


def madt(table):
    """(cores that are enabled, addresses of I/O APICs) of the table APIC (ACPI 6.5, 5.2.12)."""
    cores, ioapics, place = 0, [], HEADER + 8
    while place + 2 <= len(table) and 2 <= table[place + 1] <= len(table) - place:
        kind, length = table[place], table[place + 1]
        entry = table[place:place + length]
        if kind == 0 and length >= 8:
            cores += entry[4] & 1
        elif kind == 1 and length >= 12:
            ioapics.append(int.from_bytes(entry[4:8], "little"))
        elif kind == 9 and length >= 16:
            cores += entry[8] & 1
        place += length
    return cores, ioapics


def has_pm_timer(table):
    """Of the table FACP (ACPI 6.5, 5.2.9): PM_TMR_BLK and PM_TMR_LEN."""
    return len(table) > 91 and any(table[76:80]) and table[91] == 4


def console_port(table):
    """The I/O port of the firmware's console by the table SPCR, or None: a 16550 or one like it
    (Microsoft's SPCR, interface types 0 and 1) at a generic address of I/O space."""
    if len(table) < 52 or table[36] not in (0, 1) or table[40] != 1:
        return None
    return int.from_bytes(table[44:52], "little") or None
