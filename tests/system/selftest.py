# SPDX-License-Identifier: BSD-2-Clause
"""Self-tests at each boot: what they say, and what becomes of a machine on which one fails."""

import contextlib
import functools
import mmap
import os
import re
import struct
import threading

from nacre import build, places
from nacre.machine import machine
from nacre.pack import product
from nacre.test import planted, results
from nacre.test.system_tests import judge

HELLO = places.ROOT / "examples" / "hello" / "hello.system"
CORES = places.ROOT / "tests" / "system" / "systems" / "four_cores" / "four_cores.system"
FAULTS = places.ROOT / "tests" / "system" / "selftest_faults.txt"
PLACE = places.BUILD / "selftest-faults"
UNITS = {"open": "intel", "open-amd": "amd"}  # the machine's IOMMU, by the fault
EDU = ("-device", "edu,dma_mask=0xffffffffffffffff")
END = re.compile(r"selftest: (\w+): (\d+) passed, (\d+) failed, (\d+) not tried, in (\d+) us")
SMALL = 64  # MiB, of which all can be tried in seconds
BAD_WORD = 40 << 20 | 0x1238
QUICK_LIMIT = 300000
LIMIT = 300
FULL = [f"selftest: {line}" for line in (
    "timer passed: ", "ipi passed: ", "tlb passed: ", "fpu passed: ", "guest passed: ",
    "iommu passed: ", "memory passed: ")]


def machine_with(image, arguments="", kernel=None, iommu="", **settings):
    settings = {"memory": 256, "cores": 4, "cpu": "max", "extra": EDU if iommu else ()} | settings
    return machine.QemuMachine(
        kernel=kernel or build.artefact("kernel-debug.elf32"),
        modules=(build.artefact("root.elf"), image), clock="emulated", limit=LIMIT,
        arguments=arguments, iommu=iommu, **settings)


def composed(description, name):
    folder = places.BUILD / "system-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return product.compose(description, folder / f"{name}.img")


def run(name, running, texts, forbidden=None, expected=None):
    """Results of a boot: the texts come in order, the pattern does not, and the last line has these
    numbers of tests that passed, failed and were not tried."""
    found, said = judge(name, running, [("until", text) for text in texts])
    title = f"system/{name}"
    if forbidden and re.search(forbidden, said):
        found.append(results.failed(f"{title}/said", re.search(forbidden, said).group()))
    end = END.search(said)
    if expected and (not end or tuple(map(int, end.groups()[1:4])) != expected):
        found.append(results.failed(f"{title}/end", end.group() if end else "no last line"))
    if end and end.group(1) == "quick" and expected and int(end.group(5)) > QUICK_LIMIT:
        found.append(results.failed(f"{title}/time", end.group()))
    return found


def check_quick(cores, iommu):
    name = f"selftest-quick-{cores}"
    return run(name, machine_with(composed(HELLO, name), cores=cores, iommu=iommu),
               ["selftest: quick: ", "hello, world"], "FAILED|passed: ", (7, 0, 0))


def check_bochs():
    """With VT-x, and a clock that is no whole number of megahertz."""
    name = "selftest-bochs"
    iso = PLACE.with_name("system-tests") / f"{name}.iso"
    product.make_iso(HELLO, iso)
    return run(name, machine.BochsMachine(iso=iso, memory=SMALL),
               ["selftest: quick: ", "hello, world"], "FAILED", (6, 0, 1))


def check_full():
    name = "selftest-full"
    return run(name, machine_with(composed(HELLO, name), "selftest=full", iommu="intel",
                                  memory=SMALL),
               [*FULL, "selftest: full: ", "hello, world"], "FAILED", (7, 0, 0))


def check_off():
    name = "selftest-off"
    return run(name, machine_with(composed(HELLO, name), "selftest=off"), ["hello, world"],
               "selftest:")


def check_without_guests():
    name = "selftest-no-guests"
    return run(name, machine_with(composed(HELLO, name), "selftest=full svm=off",
                                  memory=SMALL),
               ["selftest: guest not tried: no VT-x or AMD-V: the boot log says why",
                "selftest: iommu not tried: no IOMMU is used", "hello, world"], "FAILED", (5, 0, 2))


def check_clock():
    """A rate that is wrong by a tenth."""
    name = "selftest-clock"
    return run(name, machine_with(composed(HELLO, name), "tsc=900000"),
               ["selftest: timer FAILED: the TSC counts ", ", the kernel takes it for 900000, try "
                "tsc=", "hello, world"], None, None)


@contextlib.contextmanager
def disturbed(file):
    """A word of the machine's memory, which is this file, does not stay what it is."""
    file.write_bytes(b"")
    os.truncate(file, SMALL << 20)
    ended = threading.Event()

    def disturb():
        with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as memory:
            while not ended.wait(0.0005):
                memory[BAD_WORD:BAD_WORD + 8] = os.urandom(8)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        file.unlink()


def check_memory():
    name = "selftest-memory"
    image = composed(HELLO, name)
    file = image.with_suffix(".ram")
    backend = f"memory-backend-file,id=ram,size={SMALL}M,share=on,mem-path={file}"
    with disturbed(file):
        return run(name, machine_with(
            image, "selftest=full", memory=SMALL, cores=1,
            extra=("-object", backend, "-machine", "memory-backend=ram")),
            [f"selftest: memory FAILED: memory at 0x{BAD_WORD:x} does not keep what is written",
             "selftest: full: ", "hello, world"], None, (5, 1, 1))


@functools.cache
def planted_kernel():
    """(the kernel with all faults, names of those whose text is gone)."""
    planter = planted.plant()
    _, kernel, gone = planted.build_kernel(planter, FAULTS, PLACE)
    return kernel, gone


def fault_rows():
    return list(planted.plant().rows(FAULTS.read_text()))


def check_fault(number, row):
    name, test, _, sentence, *_ = row
    kernel, gone = planted_kernel()
    title = f"selftest-fault-{name}"
    if name in gone:
        return [results.failed(f"system/{title}", "its text is not in the kernel any more")]
    broken = planted.written(kernel, planted.MARK, 4, struct.pack("<I", number), PLACE)
    image = composed(CORES if test == "ipi" else HELLO, title)
    texts = [f"selftest: {test} FAILED: ", "selftest: quick: "]
    if test == "ipi":
        texts.append("is not started: core 2: its self-test failed")
    elif test != "timer":
        texts.append("hello, world")
    return run(title, machine_with(image, kernel=broken, iommu=UNITS.get(name, "")), texts)


def check_faults():
    found = []
    for number, row in enumerate(fault_rows(), 1):
        found += check_fault(number, row)
    return found


ROWS = [
    ("selftest-quick", "the self-tests pass within 300 ms on one core, and say one line",
     functools.partial(check_quick, 1, "amd")),
    ("selftest-quick-cores", "they do with four cores", functools.partial(check_quick, 4, "intel")),
    ("selftest-bochs", "they do in Bochs, where the guest runs by VT-x", check_bochs),
    ("selftest-full", "each says that it passed, with selftest=full", check_full),
    ("selftest-off", "they say nothing with selftest=off", check_off),
    ("selftest-no-guests", "what cannot be tried says so", check_without_guests),
    ("selftest-clock", "a clock that is wrong is named, with the right rate", check_clock),
    ("selftest-memory", "a word of memory that changes is named by its address", check_memory),
]
ON_DEMAND = [
    ("selftest-faults", "each self-test names itself on a machine that does not work",
     check_faults),
]
