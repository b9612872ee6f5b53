# SPDX-License-Identifier: BSD-2-Clause
"""What compilers say of many files, each alone; nothing is written."""

import concurrent.futures
import os
import subprocess

from source_tree import ROOT


def complaint(command, source="", folder=ROOT):
    """None if the compiler takes its files, or the source where they are `-`; else its first
    error."""
    result = subprocess.run(command, input=source, cwd=folder,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False)
    if result.returncode == 0:
        return None
    return next((line for line in result.stdout.splitlines() if "error:" in line),
                result.stdout[:300])


def run(check, jobs):
    """Prints what the check says of each job; the program's exit status."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [text for text in pool.map(check, jobs) if text]
    print("\n".join(complaints))
    return 1 if complaints else 0
