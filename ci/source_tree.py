# SPDX-License-Identifier: BSD-2-Clause
"""The source tree as the checks see it: its files, its rooms, and which room may use which."""

import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]
C_FOLDERS = ("include", "src", "tests", "bench", "tools")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)

# Each room and its parents; a room may include itself, its parents and nothing else of ours.
# "include" stands for the contract under include/, which every room may use.
KERNEL_ROOMS = {
    "src/base": (),
    "src/arch/x86_64/cpu": ("src/base",),
    "src/arch/x86_64/guest": ("src/base", "src/arch/x86_64/cpu"),
    "src/arch/x86_64/iommu": ("src/base", "src/arch/x86_64/cpu"),
}
# The rooms above, from the lowest up: each may use all below it.
for _room in ("src/kernel/cap", "src/kernel/memory", "src/kernel/sched", "src/kernel/ipc",
              "src/kernel/thread", "src/kernel/check", "src/kernel/syscall", "src/kernel/boot",
              "src/kernel", "src/arch/x86_64/object", "src/arch/x86_64/entry"):
    KERNEL_ROOMS[_room] = tuple(KERNEL_ROOMS)
# The monitor's folders are layers, too; its top folder has what puts them together.
VMM_FOLDERS = ("src/vmm/host", "src/vmm/bus", "src/vmm/irq", "src/vmm/pci", "src/vmm/device",
               "src/vmm/virtio", "src/vmm/vcpu", "src/vmm/boot")
VMM_ROOMS = {
    "src/vmm/host": ("src/base", "src/user"),
    "src/vmm/bus": ("src/base",),
    "src/vmm/irq": ("src/base", *VMM_FOLDERS[:2]),
    "src/vmm/pci": ("src/base", *VMM_FOLDERS[:3]),
    "src/vmm/device": ("src/base", *VMM_FOLDERS[:4]),
    "src/vmm/virtio": ("src/base", *VMM_FOLDERS[:5]),
    "src/vmm/vcpu": ("src/base", *VMM_FOLDERS[:3]),
    "src/vmm/boot": ("src/base", *VMM_FOLDERS[:5]),
}
USER_ROOMS = {
    "src/user": ("src/base",),
    "src/root": ("src/base", "src/user", "src/lib"),
    "src/vmm": ("src/base", "src/user", *VMM_FOLDERS),
    **VMM_ROOMS,
    "src/lib": ("src/base", "src/user"),
    "src/drivers": ("src/base", "src/user", "src/lib"),
    "src/services": ("src/base", "src/user", "src/lib"),
}
ROOMS = {**KERNEL_ROOMS, **USER_ROOMS}
# Where an include path begins, by who compiles the file.
# Headers that the build writes.
BUILD = pathlib.Path(os.environ.get("NACRE_BUILD", ROOT / "build"))
GENERATED = (BUILD / "include", BUILD / "src")
KERNEL_PATHS = ("include", "src", "src/arch/x86_64", "src/kernel")
USER_PATHS = ("include", "src")


def c_files(folders=C_FOLDERS):
    found = []
    for folder in folders:
        found += [path for path in (ROOT / folder).rglob("*") if path.suffix in (".c", ".h")]
    return sorted(found)


def room_of(path):
    """The room a path (relative to the root) lies in: its longest matching prefix, or its top."""
    text = str(path)
    best = max((room for room in ROOMS if text.startswith(room + "/")), key=len, default=None)
    return best or text.split("/")[0]


def include_paths(room):
    return USER_PATHS if room in USER_ROOMS or room == "include" else KERNEL_PATHS


def resolve(path, name):
    """The file of ours that an include of `name` in `path` means, relative, or None."""
    beside = path.parent / name
    if beside.is_file():
        return beside.resolve().relative_to(ROOT)
    for base in include_paths(room_of(path.relative_to(ROOT))):
        if (ROOT / base / name).is_file():
            return pathlib.Path(base) / name
    return None


def includes(path):
    """(line number, name, resolved path or None) for each include directive of the file."""
    text = path.read_text(errors="replace")
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, match.group(1), resolve(path, match.group(1))
