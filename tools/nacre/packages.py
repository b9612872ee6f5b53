# SPDX-License-Identifier: BSD-2-Clause
"""The Debian packages that building, packing, running and testing need."""

import os
import re
import shutil
import subprocess
import time

from nacre import places
from nacre.report import Failure, step

# Messages of apt are read, so they are asked for in one language.
ENGLISH = "LC_ALL=C.UTF-8"
# What apt says of a failure: of an archive's signature, of an archive that it did not reach, of
# anything else.
UNSIGNED = re.compile(r"GPG error|is not signed|NO_PUBKEY|EXPKEYSIG|verif.*signature")
UNREACHED = re.compile(r"Could not (resolve|connect)|Unable to connect|Temporary failure|timed out|"
                       r"Failed to fetch")
COMPLAINT = re.compile(r"^E: ")


def of_compiler(name):
    """The packages of a compiler, and of the sanitizers with which it builds unit tests."""
    clang = re.fullmatch(r"clang(-\d+)?", name)
    if clang:
        return (name, f"libclang-rt{clang.group(1) or ''}-dev")
    return (name,) if re.fullmatch(r"gcc(-\d+)?", name) else ()


BUILD = ("acpica-tools", "binutils", "gcc", "grub-common", "libc6-dev", "meson", "nasm",
         "ninja-build", *of_compiler(places.compiler_name(places.COMPILER)))
PACK = ("grub-common", "grub-efi-amd64-bin", "grub-pc-bin", "mtools", "xorriso")
EMULATE = ("bochs", "bochs-term", "bochsbios", "ovmf", "qemu-system-x86", "vgabios")
PICTURE = ("graphviz",)
CHECK = ("clang", "clang-format", "cloc", "e2fsprogs", "fakeroot", "g++", "make", *PICTURE)
# How long another package manager is waited for, and between two attempts.
LOCK_SECONDS = 900
LOCK_PAUSE = 3
LOCKED = re.compile(r"(?:Could not get lock|Unable to acquire the dpkg frontend lock|Unable to "
                    r"lock)(?:.*? held by (process \d+ \([^)]*\)))?")


def missing(names):
    """Those of the packages that dpkg does not know as installed."""
    if not shutil.which("dpkg-query"):
        return []
    result = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    installed = {line.split()[0] for line in result.stdout.splitlines()
                 if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def as_root(command):
    """The command, prefixed so that it runs with the rights to install."""
    if os.geteuid() == 0:
        return command
    if shutil.which("sudo"):
        return ["sudo", *command]
    raise Failure("packages must be installed, but this is not root and there is no sudo: "
                  "run as root: " + " ".join(command))


def run_apt(command, **more):
    """Runs a program of apt that needs no rights, and captures what it says."""
    return subprocess.run(["env", ENGLISH, *command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **more)


def apt_get(*arguments):
    """Runs apt-get as root; its output is shown only when it fails."""
    if not shutil.which("apt-get"):
        raise Failure("there is no apt-get here: Nacre's tools install packages on Debian only; "
                      "install the programs named in tools/nacre/packages.py by hand")
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", ENGLISH]
    command = as_root(environment + ["apt-get", "-q", "-y", "-o",
                                     f"DPkg::Lock::Timeout={LOCK_PAUSE}", *arguments])
    end = time.monotonic() + LOCK_SECONDS
    announced = False
    while True:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        lock = LOCKED.search(result.stdout)
        if result.returncode == 0 or not lock or time.monotonic() > end:
            break
        if not announced:
            step(f"another package manager is at work ({lock.group(1) or 'unknown'}); waiting")
            announced = True
        # The option above does not hold for the lock of the package lists.
        time.sleep(LOCK_PAUSE)
    if result.returncode != 0:
        raise Failure(apt_failure(arguments, result.stdout, lock))


def apt_reason(output):
    """Why apt failed, in its own words where it has some: of all its lines, that of the cause."""
    lines = [line.strip() for line in output.splitlines()]
    if any("/dev/null: Permission denied" in line for line in lines):
        return "apt's own user may not write to /dev/null: `chmod 666 /dev/null`"
    for pattern in (UNSIGNED, UNREACHED, COMPLAINT):
        line = next((line for line in lines if pattern.search(line)), None)
        if line:
            return f"{line}; is the network up?" if pattern is UNREACHED else line
    return "is the network up?"


def apt_failure(arguments, output, lock):
    tail = "\n".join("    " + line for line in output.splitlines()[-15:])
    why = (f"another package manager held its lock for {LOCK_SECONDS} s" if lock else
           apt_reason(output))
    return f"`apt-get {' '.join(arguments)}` failed; {why}\n{tail}"


_lists_updated = False


def update_lists():
    """Fetches the package lists, once a run."""
    global _lists_updated
    if not _lists_updated:
        step("fetching package lists")
        apt_get("update")
        _lists_updated = True


def ensure(*groups):
    """Installs what is missing of the given groups of packages."""
    absent = missing(sorted({name for group in groups for name in group}))
    if not absent:
        return
    as_root([])
    update_lists()
    step("installing " + " ".join(absent))
    apt_get("install", "--no-install-recommends", *absent)
    still = missing(absent)
    if still:
        raise Failure("these packages did not install: " + " ".join(still))
