# SPDX-License-Identifier: BSD-2-Clause
"""Guests that drive a device of the machine themselves, behind an IOMMU."""

import re

from nacre import places
from nacre.machine import emulator, machine
from nacre.machine.disks import NO_DISKS, Disks
from nacre.test import results
from nacre.test.system_tests import judge, system_iso

FOLDER = places.BUILD / "system-tests" / "passthrough"
EXAMPLE = places.ROOT / "examples" / "passthrough" / "nvme.system"
SECONDS = 900
PROMPT = "nacre-guest# "
DEVICE = "/sys/bus/pci/devices/0000:00:0b.0"
KNOWN = b"a line that the disk has from the start\n"
BYTES = 4 << 20
WRITTEN = b"written by a guest's own driver\n"
WRITTEN_AT, WRITTEN_BYTES = 1 << 20, 256 << 10
# The guest has 256 MiB: what is behind them, and all else that there is at these addresses. What is
# written to the APIC's is a message, of which this is no test.
OUTSIDE = (0x10000000, 0x3F000000, 0xD0000000, 0x1_0000_0000)
REFUSED = re.compile(r"iommu: device (..:..\..) may not (?:read|write) at 0x([0-9a-f]+)")
EDU = ("-device", "edu,addr=6,dma_mask=0xffffffffffffffff")
# QEMU's `edu`: its registers, and the part of its own memory that copies use.
EDU_NAME = 0x010000ED
EDU_BUFFER = 0x40000
FROM_MEMORY, TO_MEMORY = 1, 3


def said(command, answer, number):
    """Steps that send a command, and wait for what it prints."""
    return [("send", f"{command}; echo mark-$(({number}+1000))"), ("until", answer),
            ("until", f"mark-{number + 1000}"), ("until", PROMPT)]


def run(name, description, steps, disks=NO_DISKS, **settings):
    running = machine.QemuMachine(iso=system_iso(name, description), memory=emulator.MEMORY,
                                  limit=SECONDS, cpu="max", disks=disks, **settings)
    return judge(name, running, steps)


def make_disk(name):
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.disk"
    file.write_bytes(KNOWN.ljust(BYTES, b"\0"))
    return file


def check_disk():
    """An NVMe disk is found, read and written, and so it is after the guest's reset."""
    name = "passthrough-nvme-svm"
    file = make_disk(name)
    line = WRITTEN.decode().strip()
    write = (f"yes \"{line}\" | head -c {WRITTEN_BYTES} | "
             f"dd of=/dev/nvme0n1 bs=64k seek={WRITTEN_AT >> 16} conv=fsync 2>/dev/null")
    found, text = run(name, EXAMPLE.read_text(), [
        ("until", "device of 'linux', reaches 262144 KiB of memory"), ("until", PROMPT),
        *said(f"cat {DEVICE}/class", "0x010802", 1),
        *said("grep nvme0q1 /proc/interrupts", "PCI-MSI", 2),
        *said("head -n 1 /dev/nvme0n1", KNOWN.decode().strip(), 3),
        *said(f"{write} && echo is-$((6*7))", "is-42", 4),
        ("send", "dd if=/dev/nvme0n1 of=/dev/null bs=64k & reboot"),
        ("until", "guest resets"), ("until", PROMPT),
        *said(f"dd if=/dev/nvme0n1 bs=64k skip={WRITTEN_AT >> 16} count=1 2>/dev/null | head -n 1",
              line, 5),
        ("send", "poweroff"), ("until", "powered off")], Disks(nvme=file), iommu="intel")
    expected = (WRITTEN * WRITTEN_BYTES)[:WRITTEN_BYTES]
    content = file.read_bytes()
    if content[WRITTEN_AT:][:WRITTEN_BYTES] != expected or not content.startswith(KNOWN):
        found.append(results.failed(f"system/{name}/content", "the disk has other content"))
    if REFUSED.search(text):
        found.append(results.failed(f"system/{name}/reach", "the disk tried what it may not"))
    return found


def check_without():
    """Where there is no IOMMU, one that does not remap interrupts, or no such device, the guest is
    not started, and a line says why; but the description can do without the remapping."""
    # Of the line its end: the kernel may put one of its own into the middle of a component's.
    name = "passthrough-missing"
    found, _ = run(name, EXAMPLE.read_text(), [
        ("until", "its device needs an IOMMU")])
    others, _ = run(f"{name}-device", EXAMPLE.read_text(), [
        ("until", "this machine has no such device")],
        iommu="intel")
    for iommu in ("amd", "intel-dma"):
        found += run(f"{name}-remapping-{iommu}", EXAMPLE.read_text(), [
            ("until", "its guest's device can raise any interrupt")], iommu=iommu)[0]
    allowed = EXAMPLE.read_text().replace('class="0108"', 'class="0108" any_interrupt="true"')
    allowing, _ = run(f"{name}-allowed", allowed, [
        ("until", "device of 'linux', reaches 262144 KiB of memory"), ("until", PROMPT),
        *said("head -n 1 /dev/nvme0n1", KNOWN.decode().strip(), 1)],
        Disks(nvme=make_disk(f"{name}-allowed")), iommu="intel-dma")
    return found + others + allowing


def copy(place, direction):
    """The shell's commands for a copy of 16 bytes by the device, until it has ended."""
    source, target = ((place, EDU_BUFFER), (EDU_BUFFER, place))[direction == TO_MEMORY]
    writes = ((0x80, source), (0x88, target), (0x90, 16), (0x98, direction))
    return "; ".join([*(f"devmem $(($b+{register})) 64 {value}" for register, value in writes),
                      "while [ $(($(devmem $(($b+0x98)) 64)&1)) = 1 ]; do :; done"])


def check_attack():
    """A guest has a device write and read where it may not: nothing but its own memory is
    reached."""
    name = "passthrough-attack-svm"
    description = EXAMPLE.read_text().replace('class="0108"', 'id="1234:11e8" messages="1"')
    attempts = [step for number, place in enumerate(OUTSIDE)
                for direction in (FROM_MEMORY, TO_MEMORY)
                for step in said(copy(place, direction), "", 100 + 4 * number + direction)]
    own = 0x8000000
    found, text = run(name, description, [
        ("until", PROMPT),
        ("send", f"printf '\\006' | dd of={DEVICE}/config bs=1 seek=4 conv=notrunc 2>/dev/null; "
                 f"set $(head -n 1 {DEVICE}/resource); b=$1"), ("until", PROMPT),
        *said("devmem $b 32", f"0x{EDU_NAME:08X}", 1),
        # Its own memory it reaches, there and back; the second place is the first one's neighbour.
        *said(f"{copy(own, FROM_MEMORY)}; {copy(own + 4096, TO_MEMORY)}; echo own-$((6*7))",
              "own-42", 2),
        *attempts, ("send", "poweroff"), ("until", "powered off")],
        iommu="intel", extra=EDU)
    text = text[text.index("selftest: quick"):]  # it has the device write as well
    told = {(device, int(address, 16) & ~0xfff) for device, address in REFUSED.findall(text)}
    silent = [hex(place) for place in OUTSIDE if ("00:06.0", place) not in told]
    if silent or any(place < 256 << 20 for _, place in told):
        found.append(results.failed(f"system/{name}/told", f"no line of {silent}; of {told}"))
    return found


ROWS = [
    ("passthrough-nvme-svm", "a guest drives an NVMe disk itself, also after its reset",
     check_disk),
    ("passthrough-missing", "a guest without its device, or what confines it, is not started",
     check_without),
    ("passthrough-attack-svm", "a device that a guest drives reaches the guest's memory alone",
     check_attack),
]
