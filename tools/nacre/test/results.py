# SPDX-License-Identifier: BSD-2-Clause
"""What tests found out, and how it is counted and printed."""

import dataclasses
import re
import threading

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
MARKS = {PASSED: "ok  ", FAILED: "FAIL", SKIPPED: "skip"}
# Test programs say `PASS id sentence`, host programs `ok id sentence`.
LINE = re.compile(r"^(?:\[[^\]]*\] )?(PASS|ok|FAIL|SKIP) ([\w./:-]+)(?: (.*))?$", re.MULTILINE)
WORDS = {"PASS": PASSED, "ok": PASSED, "FAIL": FAILED, "SKIP": SKIPPED}


@dataclasses.dataclass(frozen=True)
class Result:
    """One test's outcome; `log` is where more can be read."""

    name: str
    outcome: str
    text: str = ""
    log: str = ""


def passed(name, text=""):
    return Result(name, PASSED, text)


def failed(name, text, log=""):
    return Result(name, FAILED, text, str(log))


def skipped(name, text):
    return Result(name, SKIPPED, text)


def parse_lines(text, prefix, log=""):
    """The results that a test program printed, one a line."""
    return [Result(f"{prefix}/{name}", WORDS[word], (sentence or "").strip(), str(log))
            for word, name, sentence in LINE.findall(text.replace("\r", ""))]


class Tally:
    """Collects results from several threads and prints what matters as it comes."""

    def __init__(self):
        self._lock = threading.Lock()
        self.results = []

    def add(self, test, results, seconds):
        """Takes the results of one test; many fine ones make one line."""
        with self._lock:
            self.results += results
            bad = [result for result in results if result.outcome != PASSED]
            outcome = FAILED if any(result.outcome == FAILED for result in bad) else (
                SKIPPED if results and len(bad) == len(results) else PASSED)
            count = f", {len(results)} tests" if len(results) > 1 else ""
            print(f"{MARKS[outcome]} {test.name} ({seconds:.1f} s{count}): {test.sentence}",
                  flush=True)
            if len(results) == 1 and not bad and results[0].text:
                print(f"     {results[0].text}")
            for result in bad:
                print(f"     {MARKS[result.outcome]} {result.name}: {result.text}", flush=True)

    def count(self, outcome):
        return sum(result.outcome == outcome for result in self.results)

    def summary(self):
        """Failures with their logs, then the counts alone on the last line."""
        lines = []
        failures = [result for result in self.results if result.outcome == FAILED]
        if failures:
            lines.append("\nFailures:")
        for result in failures:
            where = f" ({result.log})" if result.log else ""
            reason = result.text.partition("\n")[0]
            lines.append(f"  {result.name}: {reason}{where}")
        lines.append(", ".join(f"{self.count(outcome)} {outcome}"
                               for outcome in (PASSED, FAILED, SKIPPED)))
        return "\n".join(lines)
