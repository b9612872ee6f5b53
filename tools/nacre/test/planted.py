# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre test planted-faults`: the kernel with faults planted, in emulators.

One kernel is built of a copy of the sources with all faults of tests/kernel/faults.txt, of which a
number in its image puts one into effect; the test program runs the test named beside it alone.
"""

import importlib.util
import shutil
import struct

from nacre import build, packages, places
from nacre.machine import machine
from nacre.pack import iso
from nacre.report import run_logged, step
from nacre.test import machine_tests, results

NAME = "planted-faults"
FAULTS = places.ROOT / "tests" / "kernel" / "faults.txt"
PLACE = places.BUILD / "planted"
MARK = b"nacre fault is: "
# Before each file that has a fault, and behind one.
DECLARATION = "extern volatile int planted_words[];\n#define planted_fault planted_words[4]\n"
DEFINITION = "\nvolatile int planted_words[] = {{{words}, 0}};\n"
DEFINED_IN = "src/arch/x86_64/cpu/panic.c"
# Where the test program has the id of the test that runs alone; zeros follow.
CHOSEN = b"only this test:"
CORES = 4
LIMIT = 200
SILENT = "does not answer; its program was last at"


def plant():
    """The program of the host tests that changes sources (tests/unit/interleave/plant.py)."""
    path = places.ROOT / "tests" / "unit" / "interleave" / "plant.py"
    specification = importlib.util.spec_from_file_location("plant", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def declare(tree, paths):
    """Gives the changed files the number of the fault that is in effect."""
    words = ", ".join(map(hex, struct.unpack("<4I", MARK)))
    for path in {*paths, DEFINED_IN}:
        file = tree / path
        more = DEFINITION.format(words=words) if path == DEFINED_IN else ""
        file.write_text(DECLARATION + file.read_text() + more)


def not_copied(folder, names):
    """Of a folder: what is made, and the history."""
    return [name for name in names if name in (".git", "__pycache__")
            or (folder == str(places.ROOT) and name.startswith("build"))]


def build_kernel(planter, faults=FAULTS, folder=PLACE):
    """(the kernel as ELF and as QEMU loads it, rows whose text is gone)."""
    tree, place = folder / "tree", folder / "build"
    step("building a kernel with faults planted")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(places.ROOT, tree, ignore=not_copied)
    gone = planter.plant(tree, faults)
    declare(tree, [path for _, _, path, *_ in planter.rows(faults.read_text())])
    run_logged(["meson", "setup", place, tree], f"{NAME}-configure")
    room = "src/arch/x86_64/entry"
    targets = [f"{room}/kernel-debug.elf", f"{room}/kernel-debug.elf32"]
    run_logged(["ninja", "-C", place, *targets], f"{NAME}-build")
    return *(place / target for target in targets), gone


def written(file, mark, room, data, folder=PLACE):
    """A copy of the file with the data behind the mark, in a room of zeros."""
    content = file.read_bytes()
    at = content.index(mark + bytes(room)) + len(mark)
    copy = folder / file.name
    copy.write_bytes(content[:at] + data + content[at + len(data):])
    return copy


def start(kind, kernels, program):
    elf, elf32 = kernels
    if kind == "svm":
        return machine.QemuMachine(kernel=elf32, modules=(program,), memory=512, cores=CORES,
                                   cpu="max", clock="emulated", limit=LIMIT)
    image = PLACE / "test.iso"
    iso.pack_nacre(image, elf, {"root.elf": program}, "")
    return machine.BochsMachine(iso=image, memory=512, cores=CORES, limit=LIMIT)


def run_test(kind, test, kernels, number, said=""):
    """The outcome of a test alone, with the fault of that number; 0: none. It fails if the run
    does, which has to say the text then."""
    program = written(build.artefact("tests-cores.elf"), CHOSEN, 48, f" {test}".encode())
    kernels = [written(kernel, MARK, 4, struct.pack("<I", number)) for kernel in kernels]
    name = f"{NAME}-{kind}-{test}-{number}"
    found = machine_tests.run_program(start(kind, kernels, program), name)
    text = (places.LOGS / f"{name}.log").read_text(errors="replace")
    outcomes = [result.outcome for result in found]
    if results.FAILED in outcomes and said in text:
        return results.FAILED
    return results.PASSED if outcomes == [results.PASSED] else results.SKIPPED


def run():
    """The row of the test suite."""
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    build.compile_all()
    planter = plant()
    *kernels, gone = build_kernel(planter)
    found, sound = [], {}
    for number, row in enumerate(planter.rows(FAULTS.read_text()), 1):
        name, place, _, sentence, *_ = row
        kinds, test = place.rstrip("!").split(":")
        said = SILENT if place.endswith("!") else ""
        for kind in kinds.split("+"):
            title = f"{NAME}/{name}-{kind}"
            if (kind, test) not in sound:
                sound[kind, test] = run_test(kind, test, kernels, 0)
            if name in gone:
                found.append(results.failed(title, "its text is not in the kernel any more"))
            elif sound[kind, test] != results.PASSED:
                found.append(results.failed(title, f"{test} does not pass without it"))
            elif run_test(kind, test, kernels, number, said) != results.FAILED:
                found.append(results.failed(title, f"{sentence}: not caught by {test}"))
            else:
                found.append(results.passed(title, f"{sentence}: caught by {test}"))
    return found
