# SPDX-License-Identifier: BSD-2-Clause
"""Trees of /proc, /sys and /dev as Linux on some kinds of PCs would have them, made of what the
manuals of CPUs and the ACPI specification say. No tree is that of a real PC."""

import dataclasses
import struct

OLD = ("fpu tsc msr pae mce apic pge pat fxsr sse sse2 syscall nx lm")
MODERN = (f"{OLD} xsave x2apic tsc_deadline_timer xsaveopt fsgsbase pcid invpcid smap pdpe1gb avx "
          "smep umip nonstop_tsc rdtscp")
EPT = "vnmi preemption_timer ept tsc_offset vpid unrestricted_guest"
UART_16550A = 4


def table(name, body):
    """An ACPI table with its checksum."""
    data = bytearray(struct.pack("<4sIBB6s8sI4sI", name.encode(), 36 + len(body), 1, 0, b"NACRE ",
                                 b"RECORDED", 1, b"TEST", 1) + body)
    data[9] = -sum(data) & 0xff
    return bytes(data)


def apic(cores=4, ioapics=1, x2apics=0):
    body = struct.pack("<II", 0xfee00000, 1)
    body += b"".join(struct.pack("<BBBBI", 0, 8, i, i, 1) for i in range(cores))
    body += b"".join(struct.pack("<BBHIII", 9, 16, 0, 256 + i, 1, i) for i in range(x2apics))
    body += b"".join(struct.pack("<BBBBII", 1, 12, i, 0, 0xfec00000 + 0x1000 * i, 24 * i)
                     for i in range(ioapics))
    return table("APIC", body)


def facp(timer=0x1808):
    body = bytearray(100)
    struct.pack_into("<I", body, 76 - 36, timer)
    body[91 - 36] = 4 if timer else 0
    return table("FACP", bytes(body))


def spcr(port):
    return table("SPCR", struct.pack("<BBBBBBBBQ", 0, 0, 0, 0, 1, 8, 0, 1, port).ljust(44, b"\0"))


def hpet():
    return table("HPET", bytes(20))


TABLES = {"APIC": apic(), "FACP": facp(), "HPET": hpet()}


@dataclasses.dataclass
class Pc:
    """What differs from one PC to the next."""

    maker: str = "GenuineIntel"
    model: str = "Made-up CPU"
    flags: str = f"{MODERN} vmx"
    vmx_flags: str | None = EPT
    processors: int = 4
    memory_mib: int | None = 8192
    tables: dict = dataclasses.field(default_factory=lambda: TABLES)
    ports: tuple = (0x3f8,)
    pci: tuple = ()
    uefi: bool = False
    secure_boot: bool = False
    msrs: dict = dataclasses.field(default_factory=dict)


def write(folder, name, data):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else f"{data}\n".encode())


def write_sparse(folder, name, values):
    """A device with values at addresses."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for place, data in values.items():
            file.seek(place)
            file.write(data)


def cpuinfo(pc, number):
    lines = [f"processor\t: {number}", f"vendor_id\t: {pc.maker}", f"model name\t: {pc.model}",
             "microcode\t: 0x1", f"flags\t\t: {pc.flags}"]
    if "vmx" in pc.flags.split() and pc.vmx_flags is not None:
        lines.append(f"vmx flags\t: {pc.vmx_flags}")
    return "\n".join([*lines, "power management:", ""])


def record(pc, folder):
    """Writes the tree."""
    write(folder, "proc/cpuinfo", "\n".join(cpuinfo(pc, i) for i in range(pc.processors)))
    if pc.memory_mib:
        write(folder, "proc/meminfo", f"MemTotal: {pc.memory_mib << 10} kB")
        for number, (first, last, kind) in enumerate((
                (0, 0x9fbff, "System RAM"), (0x9fc00, 0xfffff, "Reserved"),
                (0x100000, (pc.memory_mib << 20) - 1, "System RAM"))):
            place = f"sys/firmware/memmap/{number}"
            write(folder, f"{place}/start", f"{first:#x}")
            write(folder, f"{place}/end", f"{last:#x}")
            write(folder, f"{place}/type", kind)
    for name, data in pc.tables.items():
        write(folder, f"sys/firmware/acpi/tables/{name}", data)
    for number in range(4):
        port = pc.ports[number] if number < len(pc.ports) else 0
        place = f"sys/class/tty/ttyS{number}"
        write(folder, f"{place}/port", f"0x{port:X}")
        write(folder, f"{place}/type", UART_16550A if port else 0)
    for number, (kind, vendor, device) in enumerate(pc.pci):
        place = f"sys/bus/pci/devices/0000:00:{number:02x}.0"
        for name, value in (("class", kind), ("vendor", vendor), ("device", device)):
            write(folder, f"{place}/{name}", f"{value:#x}")
    if pc.uefi:
        write(folder, "sys/firmware/efi/fw_platform_size", 64)
        write(folder, "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
              bytes((6, 0, 0, 0, pc.secure_boot)))
    if pc.msrs:
        write_sparse(folder, "dev/cpu/0/msr",
                     {number: value.to_bytes(8, "little") for number, value in pc.msrs.items()})
