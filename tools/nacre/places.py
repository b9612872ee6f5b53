# SPDX-License-Identifier: BSD-2-Clause
"""Where things lie in the repository and in the build directory."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
# NACRE_BUILD moves the build directory, for several builds of one tree side by side.
BUILD = pathlib.Path(os.environ.get("NACRE_BUILD", ROOT / "build")).absolute()
GUEST = BUILD / "guest"
LOGS = BUILD / "logs"

GUEST_KERNEL = GUEST / "vmlinuz"
GUEST_INITRAMFS = GUEST / "initramfs.cpio"
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
