# SPDX-License-Identifier: BSD-2-Clause
"""Power failures under a guest: Linux writes numbered records to ext4 on a virtio disk, each with
fsync before its number is printed, while another of its processes writes, renames and removes
files. The machine is killed at a random moment. Of what its disk has then, the journal is replayed,
the file system must be without an error, and each record whose number was printed must be there.
The guest boots once, to where it has not yet looked into its disk; each round begins there, where
QEMU can keep the machine's state.

`./nacre test guest-power`: many times, by each driver of disks that guests have.
"""

import dataclasses
import random
import re
import shutil
import subprocess
import time

from nacre import build, packages, places
from nacre.guest import boot_files
from nacre.machine import emulator, machine, snapshot
from nacre.pack import cpio, debs, initramfs, product
from nacre.report import Failure
from nacre.test import machine_tests, results, system_tests, write_log

NAME = "guest-power"
ROUNDS = {"virtio": 100, "ahci": 20, "nvme": 5}
# QEMU keeps no state of its NVMe controller: there the guest boots in each round.
WITHOUT_STATE = ("nvme",)
INIT = places.ROOT / "tests" / "system" / "systems" / "guest_power" / "init"
# What the guest loads, in this order.
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev",
           "virtio_pci", "virtio_blk", *debs.EXT4)
NEEDS = ("e2fsprogs",)
SYSTEM = '''<system>
<virtual_machine name="linux" memory="128M" kernel="vmlinuz" initrd="initramfs.cpio"
cmdline="console=ttyS0 quiet panic=-1 cryptomgr.notests=1 mitigations=off">
<disk driver="{driver}"/></virtual_machine>
</system>'''
# What the guest says until it is answered.
WAITS = "waiting"
SECTOR, PAYLOAD_SECTORS = 512, 1024
BYTES = 32 << 20
# A small journal, which its writer comes round in.
MAKE = ("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-J", "size=1",
        "-E", "lazy_itable_init=0,lazy_journal_init=0")
# How many records are printed before the power fails, and how much later at most it does.
LEAST, MOST, LATER_SECONDS = 1, 80, 0.5
# Of the machine's own time.
SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Round:
    """What came of one power failure; `lost` has a line if anything did."""

    synced: int
    lost: str
    log: str = ""


def payload():
    return random.Random(NAME).randbytes(SECTOR * PAYLOAD_SECTORS)


def record(number):
    """(name of its file, place in it, content)"""
    data = payload()[number * SECTOR:]
    if number % 2:
        return f"records/{number}", 0, data[:SECTOR * (number % 16 + 1)]
    return "log", number * SECTOR, data[:SECTOR]


def run_tool(*words):
    """(status, what was said) of one of e2fsprogs'."""
    done = subprocess.run([boot_files.tool(words[0]), *map(str, words[1:])], text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


class Failing:
    """A system whose power fails again and again; its disk is new each time."""

    def __init__(self, name, driver):
        self.driver = driver
        self.name = name
        self.file_name = name.replace("/", "-")
        self.folder = places.BUILD / "system-tests" / self.file_name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.disk, self.log = self.folder / "failed.disk", self.folder / "failed.log"
        self.state = None if driver in WITHOUT_STATE else self.folder / "waiting.state"
        self.empty = self._make_disk()
        self.image = self._make_image()
        if self.state:
            self._keep_state()

    def _make_disk(self):
        """An empty file system with the folders of the records and of the other process."""
        tree, disk = self.folder / "tree", self.folder / "empty.disk"
        for name in ("records", "load"):
            (tree / name).mkdir(parents=True, exist_ok=True)
        disk.unlink(missing_ok=True)
        status, said = run_tool(*MAKE, "-d", tree, disk, BYTES // 1024)
        if status != 0:
            raise Failure(f"no file system could be made: {said}")
        return disk

    def _make_image(self):
        # Of two files of one name Linux keeps the later.
        own = cpio.Archive()
        own.add_file("init", INIT.read_bytes().replace(b"LOADED", " ".join(MODULES).encode()),
                     0o755)
        own.add_directory("mnt")
        own.add_file("payload", payload())
        for name, data in debs.ensure_modules(debs.EXT4).items():
            own.add_file(f"lib/{name}.ko", data)
        (self.folder / "initramfs.cpio").write_bytes(
            initramfs.ensure().read_bytes() + own.finish())
        (self.folder / "vmlinuz").write_bytes(system_tests.inflated_kernel())
        description = self.folder / f"{self.file_name}.system"
        description.write_text(SYSTEM.format(driver=self.driver))
        return product.compose(description, self.folder / f"{self.file_name}.img")

    def _start(self, *extra, lies=False):
        """The machine, with a new disk."""
        shutil.copy(self.empty, self.disk)
        return machine.QemuMachine(
            kernel=build.artefact("kernel-debug.elf32"),
            modules=(build.artefact("root.elf"), self.image), memory=emulator.MEMORY, cpu="max",
            limit=SECONDS,
            extra=(*write_log.options(self.driver, self.disk, self.log, lies), *extra))

    def _keep_state(self):
        """Boots the guest to where it waits, and keeps the machine's state."""
        with self._start(*snapshot.OPTIONS) as running:
            why, _, log = machine_tests.watch(running, f"{self.file_name}-boot", [("until", WAITS)])
            if why:
                raise Failure(f"the guest does not boot: {why} ({log})")
            snapshot.keep(running, self.state)

    def fail(self, chance, lies=False):
        """A round. A disk that `lies` answers flushes and makes none."""
        begin = snapshot.begin_options(self.state) if self.state else ()
        with self._start(*begin, lies=lies) as running:
            why, text, shown = machine_tests.watch(running, self.file_name, [
                ("until", WAITS), ("send", "go"),
                ("until", f"synced {chance.randint(LEAST, MOST)};")])
            time.sleep(chance.random() * LATER_SECONDS)
        if why or "not written" in text or "not mounted" in text:
            return Round(0, why or "the guest could not write", shown)
        synced = int(re.findall(r"synced (\d+);", text)[-1])
        self.disk.write_bytes(
            write_log.surviving(self.log.read_bytes(), self.empty.read_bytes(), chance))
        return Round(synced, wrong(self.disk, synced), shown)

    def check(self, rounds, seed):
        """So many rounds: a result."""
        chance, synced = random.Random(f"{seed} {self.driver}"), 0
        for number in range(1, rounds + 1):
            done = self.fail(chance)
            if done.lost:
                return results.failed(self.name, f"seed {seed}, round {number}: {done.lost}",
                                      done.log)
            synced += done.synced
        return results.passed(
            self.name, f"seed {seed}: {rounds} rounds, {synced} records synced, lost 0")

    def check_notices(self, seed):
        """With a disk that lies a round must find that records are lost."""
        name = f"{self.name}/without-flushes"
        done = self.fail(random.Random(f"{seed} lies"), lies=True)
        if done.synced and done.lost:
            return results.passed(name, f"it is noticed: {done.lost.splitlines()[0]}")
        return results.failed(name, done.lost or f"{done.synced} records survive without flushes",
                              done.log)


def wrong(disk, synced):
    """A line about what is wrong on the disk, or nothing. Its journal is replayed."""
    status, said = run_tool("e2fsck", "-E", "journal_only", "-y", disk)
    if status > 1:
        return f"its journal could not be replayed (status {status}): {said}"
    status, said = run_tool("e2fsck", "-f", "-n", disk)
    if status != 0:
        return f"the file system has errors (status {status}): {said}"
    tree = disk.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    run_tool("debugfs", "-R", f"rdump / {tree}", disk)
    lost = [number for number in range(1, synced + 1) if not has(tree, number)]
    return f"of {synced} records {len(lost)} are lost: {lost[:8]}" if lost else ""


def has(tree, number):
    name, place, content = record(number)
    try:
        return (tree / name).read_bytes()[place:place + len(content)] == content
    except OSError:
        return False


def run():
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE, NEEDS)
    build.compile_all()
    seed = random.SystemRandom().randrange(10 ** 6)
    systems = {driver: Failing(f"{NAME}/{driver}", driver) for driver in ROUNDS}
    return [next(iter(systems.values())).check_notices(seed),
            *(systems[driver].check(rounds, seed) for driver, rounds in ROUNDS.items())]


def run_short():
    """For each test run."""
    packages.ensure(NEEDS)
    system = Failing("system/guest-power", "virtio")
    return [system.check_notices(0), system.check(2, 0)]
