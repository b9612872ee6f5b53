#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No kernel room calls a function of a room above it."""

import json
import pathlib
import subprocess
import sys

from source_tree import KERNEL_ROOMS, ROOT, room_of

# The release kernel: assertions of the debug flavour may reach further without harm.
TARGET = "kernel-release.elf.p/"

# Names declared below and defined above on purpose, with the reason.
ALLOWED = {
    "object_ops": "the table of object kinds joins portable and x86 kinds in one place",
    "object_kinds": "the same table's rows for Untyped_Retype",
    "object_is_available": "the same table's answer for kinds this machine may lack",
    "invocation_rows": "the same table's rows for invocations",
    "guest_hooks": "what portable code asks of virtual CPUs, one row",
    "panic": "the end of everything must be reachable from everywhere",
}


def objects_by_room(commands):
    """The release kernel's object files by the room of their source, from Meson's record."""
    found = {room: [] for room in KERNEL_ROOMS}
    for entry in commands:
        directory = pathlib.Path(entry["directory"])
        source = (directory / entry["file"]).resolve()
        room = room_of(source.relative_to(ROOT)) if source.is_relative_to(ROOT) else None
        if TARGET in entry["output"] and room in found:
            found[room].append(directory / entry["output"])
    return found


def symbols(files, option):
    """Names that the objects define or, with the other option, need."""
    if not files:
        return {}
    result = subprocess.run(["nm", "-A", "-g", option, *map(str, files)], stdout=subprocess.PIPE,
                            text=True, check=True)
    found = {}
    for line in result.stdout.splitlines():
        place, rest = line.rsplit(":", 1)
        found.setdefault(rest.split()[-1], pathlib.Path(place).name)
    return found


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build")
    record = build / "compile_commands.json"
    if not record.is_file():
        print(f"{record}: missing: build first")
        return 1
    objects = objects_by_room(json.loads(record.read_text()))
    defined = {room: symbols(files, "--defined-only") for room, files in objects.items()}
    wrong = 0
    for room, parents in KERNEL_ROOMS.items():
        visible = set(ALLOWED).union(defined[room], *(defined[parent] for parent in parents))
        for name, user in symbols(objects[room], "--undefined-only").items():
            owner = next((other for other in KERNEL_ROOMS if name in defined[other]), None)
            if name not in visible and owner:
                print(f"{room}: {user} uses {name}, which {owner} defines: {room} may use only "
                      f"{', '.join(parents) or 'itself'}")
                wrong += 1
    if not any(objects.values()):
        print(f"{build}: no object file of {TARGET} comes from a kernel room")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
