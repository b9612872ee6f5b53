# SPDX-License-Identifier: BSD-2-Clause
"""Bad input: one clear line says what is wrong and where, and what can run keeps running."""

from nacre import places
from nacre.machine import emulator, machine
from nacre.test.system_tests import changed_iso, demo_iso, judge, replaced_iso

CLIENT = "[client]"
NOTHING_STARTED = 8 * 1024


def boot_qemu(name, iso, steps):
    running = machine.QemuMachine(iso=iso, memory=emulator.MEMORY, clock="emulated")
    return judge(name, running, steps)[0]


def boot_bochs(name, iso, steps, memory=emulator.MEMORY):
    running = machine.BochsMachine(iso=iso, memory=memory)
    return judge(name, running, steps)[0]


def check_missing_image():
    iso = changed_iso("missing-image", lambda modules: modules.pop("system.img"))
    return boot_qemu("missing-image", iso, [("until", "the boot loader gave no system image")])


def truncate(modules):
    path = modules["system.img"]
    path.write_bytes(path.read_bytes()[:NOTHING_STARTED])


def check_truncated_image():
    iso = changed_iso("truncated-image", truncate)
    return boot_qemu("truncated-image", iso,
                     [("until", "the system image cannot be used: it is truncated")])


def overwrite_header(modules):
    path = modules["system.img"]
    data = bytearray(path.read_bytes())
    data[:64] = bytes(range(64))
    path.write_bytes(data)


def check_damaged_image():
    iso = changed_iso("damaged-image", overwrite_header)
    return boot_qemu("damaged-image", iso, [("until", "the system image cannot be used: ")])


def check_no_kernel_image():
    iso = replaced_iso("not-bzimage", {places.GUEST_KERNEL.name: b"This is no kernel.\n" * 100})
    return boot_bochs("not-bzimage", iso,
                      [("until", "not a bzImage"), ("until", CLIENT), ("until", CLIENT)])


def check_truncated_kernel():
    data = places.GUEST_KERNEL.read_bytes()
    iso = replaced_iso("truncated-kernel", {places.GUEST_KERNEL.name: data[:len(data) // 2]})
    return boot_bochs("truncated-kernel", iso,
                      [("until", "truncated"), ("until", CLIENT), ("until", CLIENT)])


def check_little_memory():
    return boot_bochs("little-memory", demo_iso(),
                      [("until", "not enough memory, "), ("until", CLIENT)], memory=192)


ROWS = [
    ("missing-image", "a boot without system.img says that it is missing", check_missing_image),
    ("truncated-image", "a truncated system.img is refused as such", check_truncated_image),
    ("damaged-image", "a system.img with a damaged header is refused", check_damaged_image),
    ("not-bzimage", "a guest kernel that is no bzImage is named; components run",
     check_no_kernel_image),
    ("truncated-kernel", "a guest kernel cut in half is named; components run",
     check_truncated_kernel),
    ("little-memory", "a machine too small for the guest runs the components",
     check_little_memory),
]
