# SPDX-License-Identifier: BSD-2-Clause
"""Judges a PC, line by line: what Nacre will use, what it will not, what to set in the firmware."""

import dataclasses

from nacre.pc import linux, needs

GOOD, PART, BAD, UNKNOWN = "works", "not used", "FAILS", "unknown"
# 0: the kernel starts as far as can be known. 1: it does not.
STARTS, DOES_NOT_START = 0, 1
LEAST_MIB = 64
COM1, COM2 = 0x3f8, 0x2f8
# Firmware's locks of VT-x (SDM 3C 24.7) and AMD-V (APM 2 15.30.1).
FEATURE_CONTROL, FEATURE_LOCKED, FEATURE_VMX = 0x3a, 1 << 0, 1 << 2
VM_CR, VM_CR_LOCK, VM_CR_SVMDIS = 0xc0010114, 1 << 3, 1 << 4
NESTED_PAGING = (0x8000000a, 3, 0)
# Of Linux' flags of VT-x: what a VCPU needs, and real mode.
VMX_NEEDED, VMX_REAL_MODE = ("ept", "tsc_offset"), "unrestricted_guest"
WITHOUT = {
    "x2apic": "the local APIC is used by its page", "tsc-deadline": "the timer is set one-shot",
    "xsaveopt": "no fast paths of system calls", "fsgsbase": "no fast paths of system calls",
    "pcid": "each switch of address spaces flushes translations",
    "invpcid": "each switch of address spaces flushes translations",
    "smap": "one protection less", "smep": "one protection less", "umip": "one protection less",
    "1gib-pages": "the kernel maps memory by 2 MiB",
    "avx": "programs have SSE registers only", "mce": "a machine check resets the PC",
    "invariant-tsc": "the clock may run at another rate when the CPU sleeps or clocks down",
}
CLASSES = {0x01: "disk", 0x02: "network", 0x03: "graphics", 0x04: "sound", 0x0c03: "USB"}
IDE = 0x0101


@dataclasses.dataclass(frozen=True)
class Line:
    """A judgement. `advice` is what to set or to do."""

    state: str
    text: str
    advice: str = ""

    def __str__(self):
        return f"{self.state:9}{self.text}" + (f"\n{'':9}-> {self.advice}" if self.advice else "")


def has_feature(pc, processor, feature):
    """By CPUID itself, else as Linux has it."""
    registers = pc.cpuid(feature.leaf, feature.subleaf)
    if registers:
        return bool(registers[feature.register] >> feature.bit & 1)
    return feature.flag in processor.get("flags", "").split()


def judge_cpu(pc, processor):
    flags = processor.get("flags", "").split()
    required, optional = needs.features()
    missing = [flag for flag in ("lm", "nx") if flag not in flags]
    missing += [feature.name for feature in required if not has_feature(pc, processor, feature)]
    name = processor.get("model name", "an unknown model")
    if missing:
        text = f"CPU: {name}, without {', '.join(missing)}"
        advice = ("switch it on in the firmware (\"Execute Disable\", \"No-Execute\")"
                  if missing == ["nx"] else "Nacre does not run on this CPU")
        yield Line(BAD, text, advice)
    else:
        yield Line(GOOD, f"CPU: {name}, microcode {processor.get('microcode', 'unknown')}")
    for feature in optional:
        if feature.name in WITHOUT and not has_feature(pc, processor, feature):
            yield Line(PART, f"CPU: no {feature.name}: {WITHOUT[feature.name]}")
    if "hypervisor" in flags:
        yield Line(UNKNOWN, "CPU: this is a virtual machine, so what follows is of it, not of a PC")


def judge_vmx(pc, processor):
    control = pc.msr(FEATURE_CONTROL)
    if control is not None and control & FEATURE_LOCKED and not control & FEATURE_VMX:
        return Line(PART, "guests: VT-x is locked off", "switch \"Intel Virtualization "
                    "Technology\" on in the firmware")
    # Linux 5.6 and later lists them; it takes vmx away where firmware has locked it.
    extra = processor.get("vmx flags")
    if extra is None:
        return Line(UNKNOWN, "guests: VT-x is there; whether with EPT, this Linux does not tell")
    missing = [name for name in VMX_NEEDED if name not in extra.split()]
    if missing:
        return Line(PART, f"guests: VT-x without {', '.join(missing)}, so none")
    if VMX_REAL_MODE not in extra.split():
        return Line(GOOD, "guests: by VT-x with EPT, without real mode, which Linux does not need")
    return Line(GOOD, "guests: by VT-x with EPT and unrestricted guest")


def judge_svm(pc, processor):
    flags = processor.get("flags", "").split()
    control = pc.msr(VM_CR)
    if control is not None and control & VM_CR_SVMDIS and control & VM_CR_LOCK:
        return Line(PART, "guests: AMD-V is locked off", "switch \"SVM mode\" on in the firmware")
    leaf, register, bit = NESTED_PAGING
    registers = pc.cpuid(leaf)
    has_paging = registers[register] >> bit & 1 if registers else "npt" in flags
    missing = [name for name, found in (("nested paging", has_paging),
                                        ("RDTSCP", "rdtscp" in flags)) if not found]
    if missing:
        return Line(PART, f"guests: AMD-V without {', '.join(missing)}, so none")
    if control is None:
        return Line(UNKNOWN, "guests: by AMD-V with nested paging, unless firmware has locked it")
    return Line(GOOD, "guests: by AMD-V with nested paging")


def judge_guests(pc, processor):
    flags = processor.get("flags", "").split()
    if "vmx" in flags:
        yield judge_vmx(pc, processor)
    elif "svm" in flags:
        yield judge_svm(pc, processor)
    else:
        yield Line(PART, "guests: neither VT-x nor AMD-V is seen, so none; components run",
                   "if the CPU has it, switch it on in the firmware (\"Intel Virtualization "
                   "Technology\", \"SVM mode\")")


def judge_cores(processors):
    most, count = needs.limit("ACPI_MAX_CORES"), len(processors)
    if count > most:
        yield Line(PART, f"cores: {count}; {most} are started")
    else:
        yield Line(GOOD, f"cores: {count}")


def judge_memory(pc):
    found = pc.memory_map()
    if found:
        ram = [(first, last) for first, last, kind in found if kind == "System RAM"]
        mib = sum(last + 1 - first for first, last in ram) >> 20
        text = f"memory: {mib} MiB in {len(ram)} ranges"
    else:
        mib = (pc.memory_kib() or 0) >> 10
        text = f"memory: some {mib} MiB"
    if mib < LEAST_MIB:
        yield Line(BAD, f"{text}: less than {LEAST_MIB} MiB")
    else:
        yield Line(GOOD, text)


def judge_clock(tables):
    facp = tables.get("FACP")
    if "HPET" in tables:
        yield Line(GOOD, "clock: HPET")
    elif facp is not None and linux.has_pm_timer(facp):
        yield Line(GOOD, "clock: the ACPI timer for the kernel, the PIT for Nacre's timer driver")
    else:
        yield Line(UNKNOWN, "clock: no HPET, and no ACPI timer is seen: by the PIT, or by CPUID; "
                   "if the kernel finds no rate, it takes the option tsc=KILOHERTZ",
                   "switch \"High Precision Event Timer\" on in the firmware, if it has that")


def judge_tables(tables):
    """ACPI: interrupt controllers, and the IOMMU."""
    apic = tables.get("APIC")
    if "APIC" not in tables:
        yield Line(BAD, "interrupts: no ACPI table APIC, so no I/O APIC: drivers get none",
                   "switch \"APIC\" or \"ACPI\" on in the firmware")
    elif apic is None:
        yield Line(UNKNOWN, "interrupts: cores and I/O APICs are in table APIC")
    else:
        cores, ioapics = linux.madt(apic)
        most = needs.limit("ACPI_MAX_IOAPICS")
        text = f"interrupts: I/O APICs: {len(ioapics)}, cores with a local APIC: {cores}"
        if not ioapics:
            yield Line(BAD, f"{text}: drivers get no interrupts")
        elif len(ioapics) > most:
            yield Line(PART, f"{text}; the first {most} I/O APICs are used")
        else:
            yield Line(GOOD, text)
    for name, maker in (("DMAR", "Intel's"), ("IVRS", "AMD's")):
        if name in tables:
            yield Line(GOOD, f"IOMMU: {maker}, by table {name}: a driver's device reaches what it "
                       "is given")


def judge_serial(pc, tables):
    spcr = tables.get("SPCR")
    named = linux.console_port(spcr) if spcr else None
    ports = [port for _, port in pc.serial_ports()] + ([named] if named else [])
    if COM1 in ports:
        yield Line(GOOD, "serial: COM1, where all is printed")
    elif COM2 in ports:
        yield Line(PART, "serial: COM2 only: take that entry of the boot menu; Nacre's console "
                   "driver needs the port in the description")
    elif ports:
        yield Line(PART, f"serial: a port at {ports[0]:#x} only: serial={ports[0]:#x} for the "
                   "kernel, and the same in the description for the driver")
    else:
        yield Line(PART, "serial: no port is seen: the kernel prints on the screen, and programs "
                   "do with <screen/> in the description", "switch the serial port on in the "
                   "firmware, or plug in a PCI card with one")


def driver_of(kind, vendor, device):
    """The driver for a PCI function, or None."""
    for driver, words in needs.grants().items():
        if words in (f"class={kind:04x}", f"id={vendor:04x}:{device:04x}"):
            return driver
    return "ata (at the ports of the first channel)" if kind == IDE else None


def judge_devices(pc):
    for address, code, vendor, device in pc.pci():
        kind = code >> 8
        name = CLASSES.get(kind) or CLASSES.get(kind >> 8)
        if name:
            driver = driver_of(kind, vendor, device)
            text = f"{name}: {address}, {vendor:04x}:{device:04x}, class {kind:04x}"
            yield (Line(GOOD, f"{text}: driver {driver}") if driver else
                   Line(PART, f"{text}: no driver"))


def judge_firmware(pc):
    is_uefi = bool(pc.names("sys/firmware/efi"))
    board = ", ".join(pc.board()) or "board unknown"
    yield Line(GOOD, f"firmware: {'UEFI' if is_uefi else 'BIOS'}; {board}")
    if is_uefi and pc.has_secure_boot():
        yield Line(BAD, "firmware: Secure Boot is on, and an ISO is not signed unless you do it",
                   "switch it off in the firmware, or see ./nacre build --sign")


def judge_damage(tables):
    for name, table in tables.items():
        if table is not None and not linux.is_whole(name, table):
            yield Line(PART, f"ACPI: table {name} has a wrong length or checksum and is not read",
                       "an update of the firmware may mend it")


def judge(pc):
    """All lines."""
    processors, tables = pc.processors(), pc.tables()
    damage = list(judge_damage(tables))
    tables = {name: table for name, table in tables.items()
              if table is None or linux.is_whole(name, table)}
    first = processors[0] if processors else {}
    if not first.get("flags"):
        return [Line(UNKNOWN, "CPU: /proc/cpuinfo does not tell; is this a PC with Linux?")]
    return [*judge_cpu(pc, first), *judge_guests(pc, first), *judge_cores(processors),
            *judge_memory(pc), *judge_firmware(pc), *damage,
            *judge_clock(tables), *judge_tables(tables),
            *judge_serial(pc, tables), *judge_devices(pc)]


def run(options):
    """`check-pc`: prints the lines, and what could not be read."""
    pc = linux.Linux(options.root)
    lines = judge(pc)
    for line in lines:
        print(line)
    if pc.denied:
        groups = sorted({name.rpartition("/")[0] for name in pc.denied})
        print(f"{UNKNOWN:9}root could read more, in {', '.join('/' + name for name in groups)}")
    elif not (pc.root / "dev/cpu/0/msr").exists():
        print(f"{UNKNOWN:9}`modprobe msr cpuid` would show what firmware has locked")
    failed = sum(line.state == BAD for line in lines)
    print(f"\n{failed} of these keep Nacre from starting or from being seen"
          if failed else "\nNacre should start on this PC; no PC has been tried yet")
    return DOES_NOT_START if failed else STARTS
