# SPDX-License-Identifier: BSD-2-Clause
"""The fast paths beside the slow path: one program of the host, under the sanitizers."""

import re

from nacre import build
from nacre.test import host_tests, results

VERDICT = re.compile(r"^equivalence: seed \d+, (\d[\d,]* operations.*)$", re.MULTILINE)


def run():
    """The row of the test suite."""
    result, log = host_tests.run_script([build.artefact("unit-equivalence")], "equivalence")
    verdict = VERDICT.search(result.stdout)
    if result.returncode == 0 and verdict:
        return [results.passed("equivalence", verdict.group(1))]
    return [results.failed("equivalence", result.stdout.strip()[-1500:], log)]
