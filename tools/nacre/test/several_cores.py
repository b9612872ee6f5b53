# SPDX-License-Identifier: BSD-2-Clause
"""The kernel on several cores, on the host: in all orders of a few steps, and at once under the
thread sanitizer. Both run with faults planted as well, which must be noticed."""

import re

from nacre import build
from nacre.test import host_tests, results

VERDICT = re.compile(r"^together: seed \d+, (.*; no report)$", re.MULTILINE)


def rows_of(program, name, group):
    """A result for each line that the program prints; it printed some, and failed if one did."""
    result, log = host_tests.run_script([build.artefact(program)], name)
    found = results.parse_lines(result.stdout, group, log)
    bad = any(row.outcome == results.FAILED for row in found)
    if not found or bad != (result.returncode != 0):
        found.append(results.failed(name, result.stdout.strip()[-1500:], log))
    return found


def run_interleave():
    """The row of the test suite."""
    return (rows_of("unit-interleave", "interleave", "interleave")
            + rows_of("unit-interleave-faults", "interleave-faults", "interleave"))


def run_together():
    """The row of the test suite."""
    result, log = host_tests.run_script([build.artefact("unit-together")], "together")
    verdict = VERDICT.search(result.stdout)
    faults = rows_of("unit-together-faults", "together-faults", "together")
    if result.returncode == 0 and verdict:
        return [results.passed("together", verdict.group(1)), *faults]
    return [results.failed("together", result.stdout.strip()[-1500:], log), *faults]
