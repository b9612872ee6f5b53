# SPDX-License-Identifier: BSD-2-Clause
"""docs/tutorial.md: its commands are given in their order, and all of them succeed."""

import os
import re
import shutil
import subprocess

from nacre import places
from nacre.test import results
from nacre.test.system_tests import inflated_kernel

TEXT = places.ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Where the reader's own folder is, as seen from the repository, and where it is here.
READERS_FOLDER = "../lamp"
FOLDER = places.BUILD / "system-tests" / "tutorial"


def blocks():
    """(line in the tutorial, commands) of each block for the shell."""
    text = TEXT.read_text()
    return [(text.count("\n", 0, match.start()) + 2, match.group(1))
            for match in BLOCK.finditer(text)]


def check():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    # What is beside the reader's description comes before Nacre's own.
    (FOLDER / places.GUEST_KERNEL.name).write_bytes(inflated_kernel())
    log = places.LOGS / "system-tutorial.log"
    with log.open("w") as output:
        for line, commands in blocks():
            status = subprocess.run(
                ["sh", "-e", "-c", commands.replace(READERS_FOLDER, str(FOLDER))],
                cwd=places.ROOT, env={**os.environ, "NACRE_BUILD": str(places.BUILD)},
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                check=False).returncode
            if status:
                return [results.failed(
                    "system/tutorial", f"docs/tutorial.md:{line}: status {status}",
                    places.shown(log))]
    return [results.passed("system/tutorial")]


ROWS = [("tutorial", "each command of docs/tutorial.md does what it says there", check)]
