# SPDX-License-Identifier: BSD-2-Clause
"""The version: it is in meson.build, and the kernel and every ISO show it."""

import re
import subprocess

from nacre import places

VERSION = re.compile(r"^\tversion: '(\d+\.\d+\.\d+)',$", re.MULTILINE)


def number():
    return VERSION.search((places.ROOT / "meson.build").read_text()).group(1)


def volume_label():
    """As an ISO's label: ISO 9660 has capitals, digits and underlines."""
    return f"NACRE_{number().replace('.', '_')}"


def with_commit():
    """The version and, in a clone, the commit."""
    result = subprocess.run(["git", "-C", str(places.ROOT), "rev-parse", "--short", "HEAD"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            check=False)
    return f"{number()}+{result.stdout.strip()}" if result.returncode == 0 else number()
