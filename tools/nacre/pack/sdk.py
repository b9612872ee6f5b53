# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre sdk DIR`: headers, library, kernel and tool in the layout that Makefiles written for the
Microkit SDK expect."""

import pathlib
import shutil
import subprocess
import sys

from nacre import build, packages, places, version
from nacre.pack import product, programs, sdk_include
from nacre.report import Failure, run_logged, step

sys.path.insert(0, str(places.ROOT / "tools"))
from compose import boards, contract  # noqa: E402

# Programs that a description may name beside the user's own.
COMPONENTS = ("serial.elf", "screen.elf", "timer.elf", "ramdisk.elf", "ata.elf", "ahci.elf",
              "nvme.elf", "virtio_blk.elf", "partition.elf", "pci.elf", "e1000.elf",
              "virtio_net.elf", "vswitch.elf", "echo.elf", "pinger.elf", "vmm.elf")
MARK = "This folder was made by `nacre sdk`; it may be deleted and made anew.\n"
TOOL = """#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
\"\"\"The system composer under the name and with the options of the Microkit tool.\"\"\"
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tool"))

from compose.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def write_library(folder, library):
    """Meson's archives only name their objects; the SDK's hold them."""
    archive = build.artefact(library)
    members = subprocess.run(["ar", "t", archive], stdout=subprocess.PIPE, text=True, check=True,
                             cwd=archive.parent).stdout.split()
    objects = [next((place for place in (archive.parent / name, pathlib.Path(name))
                     if place.is_file()), None) for name in members]
    if None in objects:
        raise Failure(f"{places.shown(archive)}: its objects are gone; build anew")
    run_logged(["ar", "rcsD", folder / library, *objects], "sdk-library")


def write_libraries(folder):
    folder.mkdir()
    for name in programs.LIBRARIES:
        write_library(folder, name)
    shutil.copy(programs.LINKER_SCRIPT, folder)


def write_programs(folder, flavour):
    folder.mkdir()
    shutil.copy(build.artefact(f"kernel-{flavour}.elf"), folder / "sel4.elf")
    shutil.copy(build.artefact(f"kernel-{flavour}.elf32"), folder / "sel4_32.elf")
    # The initial task is the monitor, too.
    for name in ("initialiser.elf", "monitor.elf"):
        shutil.copy(build.artefact("root.elf"), folder / name)
    for name in COMPONENTS:
        shutil.copy(build.artefact(name), folder)


def write_tool(folder):
    (folder / "bin").mkdir()
    tool = folder / "bin" / "microkit"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    shutil.copytree(places.ROOT / "tools" / "compose", folder / "tool" / "compose",
                    ignore=shutil.ignore_patterns("__pycache__"))
    copies = folder / "tool" / "compose" / contract.COPIES.name
    copies.mkdir()
    for header in contract.HEADERS:
        shutil.copy(places.ROOT / header, copies)


def write_examples(folder):
    """Each example gets the Makefile of the first one."""
    source = places.ROOT / "examples"
    shutil.copytree(source, folder / "example")
    for example in (folder / "example").iterdir():
        if any(example.glob("*.system")) and not (example / "Makefile").exists():
            shutil.copy(source / "hello" / "Makefile", example)


def write_guest(folder):
    """What Linux guests of the examples boot from; the Makefiles look there."""
    product.guest_files()
    folder.mkdir()
    for file in (places.GUEST_KERNEL, places.GUEST_INITRAMFS, places.GUEST_COMMAND_LINE):
        shutil.copy(file, folder)


def clear(folder):
    """Only a folder that is empty or was made by us is replaced."""
    if folder.exists() and any(folder.iterdir()):
        mark = folder / ".nacre-sdk"
        if not mark.is_file() or mark.read_text() != MARK:
            raise Failure(f"{folder}: is not empty and no SDK of ours; name another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".nacre-sdk").write_text(MARK)


def make(folder):
    packages.ensure(packages.BUILD)
    build.compile_all()
    step(f"writing the SDK to {places.shown(folder)}")
    clear(folder)
    for board in boards.BOARDS.values():
        for config in boards.CONFIGS.values():
            place = folder / "board" / board.name / config.name
            place.mkdir(parents=True)
            sdk_include.write(place / "include", board, config)
            write_libraries(place / "lib")
            write_programs(place / "elf", config.flavour)
    write_tool(folder)
    write_examples(folder)
    write_guest(folder / "guest")
    shutil.copytree(places.ROOT / "docs", folder / "doc")
    shutil.copy(places.ROOT / "LICENSE", folder)
    (folder / "VERSION").write_text(version.with_commit() + "\n")


def run(options):
    make(options.folder.absolute())
    print(options.folder)
    return 0
