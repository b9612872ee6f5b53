# SPDX-License-Identifier: BSD-2-Clause
"""What `./nacre check-pc` says of ten kinds of PCs, with rights and without."""

import contextlib
import io
import pathlib
import struct
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

import recorded_pcs as pcs  # noqa: E402
from nacre import cli  # noqa: E402
from nacre.pc import check, linux, needs  # noqa: E402
from recorded_pcs import Pc  # noqa: E402

AHCI, NVME, IDE, VIRTIO_DISK = ((0x010601, 0x8086, 0x8c02), (0x010802, 0x144d, 0xa808),
                                (0x01018a, 0x8086, 0x7010), (0x018000, 0x1af4, 0x1042))
I210, E1000, XHCI = ((0x020000, 0x8086, 0x1533), (0x020000, 0x8086, 0x100e),
                     (0x0c0330, 0x8086, 0xa12f))
LOCKED_OFF, OPEN = 1 << 0, 1 << 0 | 1 << 2
SVM_FLAGS = f"{pcs.MODERN} svm npt"
TABLES = pcs.TABLES

# Name -> (the PC, whether Nacre starts and is seen, beginnings of lines, lines that must not be).
ROWS = {
    "desktop": (
        Pc(msrs={0x3a: OPEN}, pci=(AHCI, I210, XHCI)), True,
        ["works    CPU: Made-up CPU", "works    guests: by VT-x with EPT and unrestricted",
         "works    serial: COM1", "works    disk: 0000:00:00.0, 8086:8c02, class 0106: driver ahci",
         "not used network: 0000:00:01.0, 8086:1533, class 0200: no driver",
         "not used USB: ", "works    firmware: BIOS",
         "works    interrupts: I/O APICs: 1, cores with a local APIC: 4",
         "works    memory: 8191 MiB in 2 ranges"], ["not used CPU", "FAILS"]),
    "laptop": (
        Pc(uefi=True, secure_boot=True, ports=(), pci=(NVME,)), False,
        ["FAILS    firmware: Secure Boot is on", "not used serial: no port is seen",
         "works    disk: 0000:00:00.0, 144d:a808, class 0108: driver nvme",
         "works    firmware: UEFI"], []),
    "server": (
        Pc(maker="AuthenticAMD", flags=SVM_FLAGS, processors=128, ports=(), msrs={0xc0010114: 0},
           tables={**TABLES, "APIC": pcs.apic(100, 4, 28), "IVRS": pcs.table("IVRS", bytes(12)),
                   "SPCR": pcs.spcr(0x2f8)}), True,
        ["works    guests: by AMD-V", "not used cores: 128; 64 are started",
         "works    IOMMU: AMD's, by table IVRS", "not used serial: COM2 only",
         "works    interrupts: I/O APICs: 4, cores with a local APIC: 128"], ["FAILS"]),
    "amd-locked": (
        Pc(maker="AuthenticAMD", flags=SVM_FLAGS, msrs={0xc0010114: 0x18}), True,
        ["not used guests: AMD-V is locked off"], ["works    guests"]),
    "intel-locked": (
        Pc(msrs={0x3a: LOCKED_OFF}), True,
        ["not used guests: VT-x is locked off"], ["works    guests"]),
    "no-virtualisation": (
        Pc(flags=pcs.MODERN), True, ["not used guests: neither VT-x nor AMD-V"], []),
    "first-core-2": (
        Pc(flags=f"{pcs.OLD} vmx", vmx_flags="vnmi tsc_offset"), False,
        ["FAILS    CPU: Made-up CPU, without xsave", "not used guests: VT-x without ept",
         "not used CPU: no x2apic", "not used CPU: no smap"], []),
    "nx-off": (
        Pc(flags=pcs.MODERN.replace(" nx", "")), False,
        ["FAILS    CPU: Made-up CPU, without nx\n         -> switch it on"], []),
    "small-board": (
        Pc(processors=1, memory_mib=48, ports=(0x2e8,), pci=(IDE, E1000),
           tables={"APIC": pcs.apic(1), "FACP": pcs.facp(0)}), False,
        ["FAILS    memory: 47 MiB", "unknown  clock: no HPET, and no ACPI timer",
         "not used serial: a port at 0x2e8 only", "works    cores: 1",
         "works    disk: 0000:00:00.0, 8086:7010, class 0101: driver ata",
         "works    network: 0000:00:01.0, 8086:100e, class 0200: driver e1000"], []),
    "virtual": (
        Pc(flags=f"{pcs.MODERN} hypervisor", pci=(VIRTIO_DISK,), tables={
            **TABLES, "HPET": pcs.hpet()[:-1] + b"?"}), True,
        ["unknown  CPU: this is a virtual machine", "not used ACPI: table HPET has a wrong length",
         "works    disk: 0000:00:00.0, 1af4:1042, class 0180: driver virtio_blk",
         "works    clock: the ACPI timer"], []),
    "no-apic": (
        Pc(tables={"FACP": pcs.facp()}), False, ["FAILS    interrupts: no ACPI table APIC"], []),
}


class CheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def lines_of(self, pc, name="pc"):
        pcs.record(pc, self.path / name)
        return [str(line) for line in check.judge(linux.Linux(self.path / name))]

    def test_each_kind(self):
        self.assertGreaterEqual(len(ROWS), 10)
        for name, (pc, starts, expected, absent) in ROWS.items():
            lines = self.lines_of(pc, name)
            with contextlib.redirect_stdout(io.StringIO()) as said:
                status = cli.main(["check-pc", "--root", str(self.path / name)])
            with self.subTest(pc=name, lines=lines):
                self.assertEqual(status, 0 if starts else 1)
                self.assertIn("Nacre should start" if starts else "keep Nacre from",
                              said.getvalue())
                for begin in expected:
                    self.assertEqual(sum(line.startswith(begin) for line in lines), 1, begin)
                for begin in absent:
                    self.assertFalse([line for line in lines if line.startswith(begin)], begin)

    def test_without_rights(self):
        """As a user meets it: names of tables, but no bytes; no MSRs."""
        pcs.record(Pc(msrs={0x3a: OPEN}), self.path / "pc")
        whole = pathlib.Path.read_bytes

        def refusing(path):
            if "acpi" in path.parts:
                raise PermissionError(13, "Permission denied", str(path))
            return whole(path)

        def closed(reader, name, *_):
            reader.denied.append(name)

        with mock.patch.object(pathlib.Path, "read_bytes", refusing), \
                mock.patch.object(linux.Linux, "at", closed), \
                contextlib.redirect_stdout(io.StringIO()) as said:
            status = cli.main(["check-pc", "--root", str(self.path / "pc")])
        self.assertEqual(status, 0)
        self.assertIn("unknown  interrupts: cores and I/O APICs are in table APIC",
                      said.getvalue())
        self.assertIn("root could read more, in /dev/cpu/0, /sys/firmware/acpi/tables",
                      said.getvalue())

    def test_the_cpu_itself_counts_more_than_linux(self):
        """Linux hides features that its command line switches off."""
        required, optional = needs.features()
        registers = {0: [0xd, 0, 0, 0], 0x80000000: [0x80000008, 0, 0, 0]}
        for row in (*required, *optional):
            place = row.leaf | row.subleaf << 32
            registers.setdefault(place, [0, 0, 0, 0])[row.register] |= 1 << row.bit

        def at(_, name, place, size):
            """A record of 16 bytes is at each number, so the numbers' records overlap."""
            if "cpuid" in name:
                return struct.pack("<4I", *registers.get(place, (0, 0, 0, 0)))[:size]
            return None

        with mock.patch.object(linux.Linux, "at", at):
            lines = self.lines_of(Pc(flags=pcs.OLD.replace(" sse2", "")))
            self.assertFalse([line for line in lines
                              if "CPU: no " in line or line.startswith("FAILS")])
            registers[0][0] = 3
            self.assertIn("without xsave of sse", "".join(self.lines_of(Pc())))

    def test_nothing_to_read(self):
        (self.path / "proc").mkdir()
        for content in (None, b"", b"\xff\0 : :\n\n", b"processor\t: 0\n"):
            if content is not None:
                (self.path / "proc" / "cpuinfo").write_bytes(content)
            lines = check.judge(linux.Linux(self.path))
            self.assertEqual([line.state for line in lines], [check.UNKNOWN])

    def test_damaged_tables_are_no_surprise(self):
        whole = pcs.apic(2, 2)
        for size in range(0, len(whole), 3):
            self.lines_of(Pc(tables={"APIC": whole[:size], "FACP": pcs.facp()[:size],
                                     "SPCR": pcs.spcr(0x3f8)[:size]}))
        self.assertEqual(linux.madt(whole), (2, [0xfec00000, 0xfec01000]))


class NeedsTest(unittest.TestCase):
    """They are read from the kernel's sources: a row that is written otherwise must not vanish."""

    def test_all_rows_of_the_kernel_are_read(self):
        text = needs.FEATURES.read_text()
        required, optional = needs.features()
        for name, rows in (("required", required), ("optional", optional)):
            table = text.split(f"feature_row {name}[] = {{")[1].split("\n};")[0]
            self.assertEqual(len(rows), table.count('{"'))
        self.assertIn(needs.Feature("xsave", 1, 0, 2, 26), required)
        known = {*check.WITHOUT, "vmx", "svm"}
        self.assertLessEqual({feature.name for feature in optional}, known)

    def test_limits_and_drivers(self):
        self.assertGreater(needs.limit("ACPI_MAX_CORES"), 1)
        self.assertEqual(set(needs.grants()), {"ahci", "nvme", "virtio_blk", "e1000",
                                               "virtio_net"})


if __name__ == "__main__":
    unittest.main()
