# SPDX-License-Identifier: BSD-2-Clause
"""Tests that need no emulator: the checks of ci/, the unit tests and the tools' own tests."""

import ast
import json
import re
import subprocess
import sys

from nacre import places
from nacre.test import results

UNITTEST_LINE = re.compile(r"^(\w+) \(([\w.]+)\)(?:\n.*?)? \.\.\. (ok|FAIL|ERROR|skipped.*)$",
                           re.MULTILINE)

# The exit status of a check that cannot be made here.
SKIPPED = 77


def checks():
    return sorted((places.ROOT / "ci").glob("check_*.py"))


def tool_tests():
    return sorted((places.ROOT / "tests" / "tools").glob("test_*.py"))


def first_sentence(path):
    """The first line of a module's description."""
    text = ast.get_docstring(ast.parse(path.read_text())) or path.stem
    return text.splitlines()[0].rstrip(".")


def run_script(command, log_name):
    log = places.LOGS / f"{log_name}.log"
    places.LOGS.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(command, cwd=places.ROOT, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", check=False)
    log.write_text(result.stdout)
    return result, places.shown(log)


def run_check(path):
    """One result a check; what it found is in its output."""
    result, log = run_script([sys.executable, "-B", path, places.BUILD], f"ci-{path.stem}")
    name = f"ci/{path.stem}"
    if result.returncode == 0:
        return [results.passed(name)]
    if result.returncode == SKIPPED:
        return [results.skipped(name, result.stdout.strip())]
    lines = result.stdout.strip().splitlines()
    shown = lines[:10] + ([f"... {len(lines) - 10} more lines"] if len(lines) > 10 else [])
    return [results.failed(name, "\n         ".join(shown), log)]


def run_unit():
    """Meson's tests; each program prints a line for each of its cases."""
    result, log = run_script(["meson", "test", "-C", places.BUILD, "--no-rebuild"], "unit")
    record = places.BUILD / "meson-logs" / "testlog.json"
    if not record.exists():
        return [results.failed("unit", "meson test left no record", log)]
    found = []
    for line in record.read_text().splitlines():
        found += results_of_program(json.loads(line), log)
    return found or [results.failed("unit", f"meson ran no test: {result.stdout[-300:]}", log)]


def results_of_program(entry, log):
    name = f"unit/{entry['name'].split(' / ')[-1]}"
    output = entry.get("stdout", "") + entry.get("stderr", "")
    found = results.parse_lines(output, name, log)
    if entry["result"] == "SKIP":
        return [results.skipped(name, output.strip()[-200:])]
    good = entry["result"] == "OK"
    if not good and not any(result.outcome == results.FAILED for result in found):
        # It died between two cases: a sanitizer's report or a signal.
        found.append(results.failed(name, f"{entry['result']}: {output.strip()[-600:]}", log))
    return found or [results.passed(name)]


def run_tool_tests(path):
    """One file of Python unit tests."""
    result, log = run_script([sys.executable, "-B", path, "-v"], f"tools-{path.stem}")
    found = []
    for name, _, outcome in UNITTEST_LINE.findall(result.stdout):
        full = f"tools/{path.stem}/{name}"
        if outcome == "ok":
            found.append(results.passed(full))
        elif outcome.startswith("skipped"):
            found.append(results.skipped(full, outcome))
        else:
            found.append(results.failed(full, outcome, log))
    if result.returncode != 0 and all(item.outcome != results.FAILED for item in found):
        found.append(results.failed(f"tools/{path.stem}", result.stdout[-600:], log))
    return found
