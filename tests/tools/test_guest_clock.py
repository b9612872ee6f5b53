# SPDX-License-Identifier: BSD-2-Clause
"""What a guest's clocks go wrong is computed from what guest and machine print."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre.bench import guest_clock  # noqa: E402
from nacre.report import Failure  # noqa: E402


def session(guest_seconds=100.0, wall_seconds=100.0, source="tsc", doubt=""):
    """A session of 100 seconds by the machine's HPET, of 10 ns a tick."""
    later = 1_000_000_000 + round(guest_seconds * 1e9)
    wall = 946_684_800_000_000_000
    return (f"[linux] clock source: {source}\n{doubt}"
            "[chronometer] HPET 5000000000 of 10000000 fs, TSC 1000 of 1000000000 Hz\n"
            f"[linux] guest's clocks: 1000000000 1000100000 {wall}\n"
            "[chronometer] HPET 15000000000 of 10000000 fs, TSC 100000001000 of 1000000000 Hz\n"
            f"[linux] guest's clocks: {later} {later + 100000} "
            f"{wall + round(wall_seconds * 1e9)}\n")


class DriftTest(unittest.TestCase):
    def test_right(self):
        drift = guest_clock.drift_of(session())
        self.assertAlmostEqual(drift.seconds, 100)
        self.assertAlmostEqual(drift.worst, 0, 6)
        self.assertAlmostEqual(drift.nacre, 0, 6)
        self.assertAlmostEqual(drift.error, 2, 6)
        self.assertEqual(list(guest_clock.problems(session())), [])

    def test_wrong(self):
        for text in (session(guest_seconds=100.0049), session(guest_seconds=99.9951),
                     session(wall_seconds=100.0049)):
            self.assertIn("more than 50 ppm", "".join(guest_clock.problems(text)))
        self.assertEqual(list(guest_clock.problems(session(guest_seconds=100.0047))), [])

    def test_source(self):
        self.assertEqual(len(list(guest_clock.problems(session(source="hpet")))), 1)

    def test_doubt(self):
        doubt = "[linux] kernel's doubt: clocksource: tsc is unstable\n"
        self.assertEqual(list(guest_clock.problems(session(doubt=doubt))),
                         ["the guest's kernel says: clocksource: tsc is unstable"])

    def test_incomplete(self):
        with self.assertRaises(Failure):
            guest_clock.drift_of(session().partition("[chronometer]")[0])


if __name__ == "__main__":
    unittest.main()
