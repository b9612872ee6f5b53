#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Includes point only from a room to its parents."""

import sys

from source_tree import (GENERATED, KERNEL_ROOMS, ROOMS, ROOT, c_files, includes, room_of)

# What GCC itself brings; nothing else from outside the tree exists for freestanding code.
FREESTANDING = {"stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
                "stdnoreturn.h", "limits.h", "cpuid.h"}
# What rooms below it may include, too.
ALLOWED = {
    "src/kernel/kernel.h": "joins the shared state of all rooms; each uses its own part",
}
KERNEL_NAMES = tuple(room.rsplit("/", 1)[1] + "/" for room in KERNEL_ROOMS if room != "src/base")


def problem_of_ours(room, target):
    """Why a file of the room may not include the target, or None."""
    parent = room_of(target)
    if parent == room or parent == "include":
        return None
    if room == "include":
        return "a header of the contract may include only headers of the contract"
    if room not in ROOMS:
        return None
    if parent in ROOMS[room] or (room in KERNEL_ROOMS and str(target) in ALLOWED):
        return None
    allowed = ", ".join(ROOMS[room]) or "only include/"
    return f"{room} may not use {parent} (its parents: {allowed})"


def problem(room, name, target):
    if target is not None:
        return problem_of_ours(room, target)
    if room not in ROOMS and room != "include":
        return None
    if name in FREESTANDING or any((base / name).is_file() for base in GENERATED):
        return None
    if name.startswith(KERNEL_NAMES):
        return f"{room} may not see the kernel's <{name}>"
    if name.endswith(".inc"):
        return None
    return f"there is no <{name}> in the tree and freestanding code has no libc"


def main():
    wrong = 0
    for path in c_files():
        place = path.relative_to(ROOT)
        for line, name, target in includes(path):
            why = problem(room_of(place), name, target)
            if why:
                print(f"{place}:{line}: <{name}>: {why}")
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
