# SPDX-License-Identifier: BSD-2-Clause
"""Where things lie in the repository and in the build directory."""

import os
import pathlib
import shlex

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The compiler's command line: CC as everywhere, GCC unless it is set.
COMPILER = shlex.split(os.environ.get("CC", "")) or ["gcc"]


def compiler_name(words):
    """`clang-16` of `ccache /usr/bin/clang-16 -m64`."""
    programs = [word for word in words if not word.startswith("-")]
    return pathlib.Path(programs[-1]).name if programs else "gcc"


def build_folder(words):
    """Each compiler but the usual one builds in a directory of its own."""
    name = compiler_name(words)
    return ROOT / ("build" if name in ("cc", "gcc") else f"build-{name}")


# NACRE_BUILD moves the build directory, for several builds of one tree side by side.
BUILD = pathlib.Path(os.environ.get("NACRE_BUILD") or build_folder(COMPILER)).absolute()
GUEST = BUILD / "guest"
LOGS = BUILD / "logs"

GUEST_KERNEL = GUEST / "vmlinuz"
GUEST_INITRAMFS = GUEST / "initramfs.cpio"
GUEST_DEBIAN = GUEST / "debian.img"
GUEST_CONFIG = ROOT / "guests" / "linux-config"
GUEST_COMMAND_LINE = GUEST_CONFIG / "cmdline"

DEMO = ROOT / "examples" / "linux_guest" / "linux_guest.system"
SYSTEM_IMAGE = BUILD / "system.img"
DEMO_ISO = BUILD / "nacre.iso"


def shown(path):
    """The path as a person in the repository would type it."""
    try:
        return str(pathlib.Path(path).resolve().relative_to(ROOT))
    except ValueError:
        return str(path)
