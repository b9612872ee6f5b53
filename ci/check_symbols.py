#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No kernel room calls a function of a room above it, no files of the kernel call each other in a
circle, and what a file without a header of its own offers stays in its folder."""

import json
import pathlib
import subprocess
import sys

from source_tree import KERNEL_ROOMS, ROOT, room_of

# The release kernel: assertions of the debug flavour may reach further without harm.
TARGETS = ("kernel-release.elf.p/", "libfastpath-release.a.p/")

# Names declared below and defined above on purpose, with the reason.
ALLOWED = {
    "object_ops": "the table of object kinds joins portable and x86 kinds in one place",
    "object_kinds": "the same table's rows for Untyped_Retype",
    "invocation_rows": "the same table's rows for invocations",
    "vcpu_enter": "portable code asks a virtual CPU to run",
    "vcpu_prepare": "the scheduler chose a thread whose virtual CPU runs",
    "vcpu_is_own": "the same, before an entry that does not run alone goes on",
    "vcpu_detach": "the thread of a virtual CPU is destroyed",
    "thread_slot_leaves": "a thread forgets a capability of its own before that is deleted",
    "panic": "the end of everything must be reachable from everywhere",
}
# Where the tables stand: it may name what otherwise stays in its folder.
TABLES = "src/arch/x86_64/object/kinds.c"


def objects_by_source(commands):
    """{source: object file} of the release kernel, from Meson's record; sources in kernel rooms."""
    found = {}
    for entry in commands:
        directory = pathlib.Path(entry["directory"])
        source = (directory / entry["file"]).resolve()
        if source.is_relative_to(ROOT) and any(target in entry["output"] for target in TARGETS):
            place = source.relative_to(ROOT)
            if room_of(place) in KERNEL_ROOMS:
                found[str(place)] = directory / entry["output"]
    return found


def symbols(files, option):
    """{source: names} that the objects define or, with the other option, need."""
    places = {str(file): place for place, file in files.items()}
    result = subprocess.run(["nm", "-A", "-g", option, *places], stdout=subprocess.PIPE,
                            text=True, check=True)
    found = {place: set() for place in files}
    for line in result.stdout.splitlines():
        file, rest = line.rsplit(":", 1)
        found[places[file]].add(rest.split()[-1])
    return found


def uses_of(defined, needed):
    """{(source, source of what it uses): names}, without the names that are allowed to point up."""
    owners = {name: place for place, names in defined.items() for name in names}
    found = {}
    for place, names in needed.items():
        for name in names - set(ALLOWED):
            if owners.get(name, place) != place:
                found.setdefault((place, owners[name]), set()).add(name)
    return found


def upward(uses):
    for (user, owner), names in sorted(uses.items()):
        room = room_of(user)
        if room_of(owner) not in (room, *KERNEL_ROOMS[room]):
            yield f"{user} uses {', '.join(sorted(names))} of {owner}, a room above it"


def circles(uses):
    """Files of the kernel that are left when, again and again, those are taken away that use no
    other, or that no other uses."""
    edges = set(uses)
    while True:
        users, owners = {user for user, _ in edges}, {owner for _, owner in edges}
        kept = {(user, owner) for user, owner in edges if user in owners and owner in users}
        if kept == edges:
            break
        edges = kept
    if edges:
        yield "files call each other in a circle: " + "; ".join(
            f"{user} uses {', '.join(sorted(uses[user, owner]))} of {owner}"
            for user, owner in sorted(edges))


def private_files(uses):
    """A file without a header of its name is private to its folder but for rows of the tables."""
    for (user, owner), names in sorted(uses.items()):
        path = pathlib.Path(owner)
        if (user == TABLES or pathlib.Path(user).parent == path.parent or
                not owner.startswith("src/kernel/") or (ROOT / path.with_suffix(".h")).is_file()):
            continue
        yield (f"{user} uses {', '.join(sorted(names))} of {owner}, which has no header "
               f"{path.with_suffix('.h').name}: only its own folder may")


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build")
    record = build / "compile_commands.json"
    if not record.is_file():
        print(f"{record}: missing: build first")
        return 1
    objects = objects_by_source(json.loads(record.read_text()))
    if not objects:
        print(f"{build}: no object file of {TARGETS[0]} comes from a kernel room")
        return 1
    uses = uses_of(symbols(objects, "--defined-only"), symbols(objects, "--undefined-only"))
    wrong = [*upward(uses), *circles(uses), *private_files(uses)]
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
