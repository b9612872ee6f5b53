# SPDX-License-Identifier: BSD-2-Clause
"""Power failures: a component writes and flushes without an end, the machine is killed at a random
moment, and what the disk had answered to be flushed must be there."""

import random
import re
import struct
import time

from nacre import build, places
from nacre.machine import disks, emulator, machine
from nacre.test import machine_tests, results, write_log
from nacre.test.system_tests import composed_clients

SOURCE = places.ROOT / "tests" / "system" / "systems" / "disk_power" / "writer.c"
FOLDER = places.BUILD / "system-tests" / "disk-power"
BYTES = 1 << 20
KILLS = 5
# Of the writer.
ROUNDS, WRITES, SECTOR = 64, 4, 512


def sector_of(number, index):
    return struct.pack("<64Q", *(number << 16 ^ index << 8 ^ word for word in range(64)))


def lost(disk, flushed):
    """Rounds that are not on the disk although their flush was answered; later ones may be."""
    missing = []
    for number in range(max(1, flushed - ROUNDS + 1), flushed + 1):
        for index in range(WRITES):
            place = (number % ROUNDS * WRITES + index) * SECTOR
            if disk[place:place + SECTOR] not in (sector_of(number, index),
                                                  sector_of(number + ROUNDS, index)):
                missing.append(number)
    return missing


def one_failure(name, image, driver, chance):
    """(a line if something was lost, rounds that were flushed)"""
    disk, log = FOLDER / f"{name}.disk", FOLDER / f"{name}.log"
    disk.write_bytes(bytes(BYTES))
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), modules=(build.artefact("root.elf"), image),
        memory=emulator.MEMORY, extra=write_log.options(driver, disk, log))
    with running:
        why, text, _ = machine_tests.watch(
            running, f"system-{name}", [("until", f"flushed {chance.randrange(5, 150)}\n")])
        time.sleep(chance.random() / 20)
    if why:
        return why, 0
    if "wrong" in text or "full" in text:
        return "the writer got a wrong answer", 0
    flushed = int(re.findall(r"flushed (\d+)\n", text)[-1])
    missing = lost(write_log.surviving(log.read_bytes(), bytes(BYTES)), flushed)
    return (f"rounds {missing[:8]} of {flushed} are lost ({log})" if missing else ""), flushed


def check(driver):
    name = f"disk-power-{driver}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    image = composed_clients(name, SOURCE, f'<disk driver="{driver}"/>')
    chance, rounds = random.Random(name), 0
    for kill in range(KILLS):
        why, flushed = one_failure(name, image, driver, chance)
        if why:
            return [results.failed(f"system/{name}", f"failure {kill + 1}: {why}")]
        rounds += flushed
    return [results.passed(f"system/{name}", f"{KILLS} failures, {rounds} flushes")]


ROWS = [(f"disk-power-{driver}", f"what {driver} disks flushed is there after the power failed",
         lambda driver=driver: check(driver)) for driver in disks.KIND_OF_DRIVER]
