#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the kernels can change outside of objects is state with an owner. Prints the list."""

import pathlib
import re
import subprocess
import sys

from source_tree import ROOT

KERNELS = ("kernel-release.elf", "kernel-debug.elf", "kernel-benchmark.elf")
PLACE = pathlib.Path("src/arch/x86_64/entry")

# All that is mutable, with the reason why it stands where it does.
OWNERS = {
    "boot_cpu": "struct cpu: what the core owns",
    "boot_kernel": "struct kernel: what the cores of this kernel image share",
}
EXCEPTIONS = {
    name: f"start-up only: {what}; nothing reads it once the initial task runs"
    for name, what in {
        "facts": "what loader and firmware say of the machine, and which memory is free",
        "options": "the command line's values",
        "units": "what firmware says of units that remap DMA",
        "task": "the initial task while it is built",
    }.items()
}

# Start-up code and its tables run where they are loaded; that memory becomes ordinary RAM.
KERNEL_IMAGE = 0xffffffff80000000
SYMBOL = re.compile(r"^([0-9a-f]+)(?: ([0-9a-f]+))? ([a-zA-Z]) (\S+)$", re.MULTILINE)
# Ends of parts of the image, by kernel.ld.
MARKS = {"image_end", "rodata_end"}
# What GCC appends to a name that is not the only one in the program.
SUFFIX = re.compile(r"(\.\d+|\.lto_priv(\.\d+)?)+$")


def mutable_symbols(text):
    """(name, bytes) of each in the output of nm -S that the kernel can change, largest first."""
    found = [(SUFFIX.sub("", name), int(size or "0", 16))
             for address, size, kind, name in SYMBOL.findall(text)
             if kind in "bBdDgGsScC" and int(address, 16) >= KERNEL_IMAGE and name not in MARKS]
    return sorted(found, key=lambda row: (-row[1], row[0]))


def unowned(symbols):
    return [(name, size) for name, size in symbols if name not in OWNERS and name not in EXCEPTIONS]


def print_list(kernel, symbols):
    print(f"{kernel}: {sum(size for _, size in symbols)} bytes can change outside of objects")
    for name, size in symbols:
        why = OWNERS.get(name) or EXCEPTIONS.get(name) or "NO OWNER"
        print(f"  {size:7} {name:12} {why}")


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build")
    wrong = 0
    for kernel in KERNELS:
        path = build / PLACE / kernel
        if not path.is_file():
            print(f"{path}: missing: build first")
            return 1
        text = subprocess.run(["nm", "-S", str(path)], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
        symbols = mutable_symbols(text)
        missing = set(OWNERS) - {name for name, _ in symbols}
        if kernel == KERNELS[0] or unowned(symbols) or missing:
            print_list(kernel, symbols)
        for name, _ in unowned(symbols):
            print(f"{kernel}: {name} can change, and neither struct cpu nor struct kernel owns it")
        for name in sorted(missing):
            print(f"{kernel}: there is no {name}")
        wrong += len(unowned(symbols)) + len(missing)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
