# SPDX-License-Identifier: BSD-2-Clause
"""Traces of two guests' device accesses: time alone makes no difference, all else does."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre.test import device_trace  # noqa: E402

BOOT = """\
[linux] the guest's own output
[tracer] w 8 832 400ec 1 local APIC's MSR
[tracer] w 8 6e0 123456 1 local APIC's MSR
[tracer] i 0 ec 0 1 interrupt
[tracer] w 8 80b 0 1 local APIC's MSR
[tracer] r 1 3fd 0 3 serial port
[tracer] r 1 3fd 60 1 serial port
[tracer] w 1 3f8 41 1 serial port
[tracer] i 0 21 0 1 interrupt
[tracer] r 1 3fa c2 1 serial port
[tracer] w 8 80b 0 1 local APIC's MSR
[tracer] r 8 803 50014 1 local APIC's MSR
[tracer] w 1 70 80 1 real-time clock
[tracer] r 1 71 17 1 real-time clock
[tracer] w 1 70 b 1 real-time clock
[tracer] r 1 71 2 1 real-time clock
"""
END = "[tracer] end of the trace: 17 accesses, 0 lost\n"


def compared(one, other):
    sides = (device_trace.comparable(device_trace.parsed(text)[0]) for text in (one, other))
    return device_trace.difference(*sides)


class Parsing(unittest.TestCase):
    def test_whole(self):
        accesses, problem = device_trace.parsed(BOOT + END)
        self.assertIsNone(problem)
        self.assertEqual(len(accesses), 17)

    def test_incomplete(self):
        self.assertIn("no end", device_trace.parsed(BOOT)[1])
        self.assertIn("16 accesses of 17", device_trace.parsed(
            BOOT.replace("[tracer] w 1 3f8 41 1 serial port\n", "") + END)[1])
        self.assertIn("no room for 2", device_trace.parsed(
            BOOT + END.replace("17 accesses, 0", "19 accesses, 2"))[1])


class TimeMakesNoDifference(unittest.TestCase):
    def equal(self, old, new):
        self.assertIn(old, BOOT)
        self.assertIsNone(compared(BOOT + END, BOOT.replace(old, new) + END))

    def test_deadlines(self):
        self.equal("w 8 6e0 123456 1", "w 8 6e0 9 2")

    def test_more_interrupts_of_the_timer(self):
        tick = "[tracer] i 0 ec 0 1 interrupt\n[tracer] w 8 80b 0 1 local APIC's MSR\n"
        self.equal(tick, tick * 2)

    def test_timer_in_an_interrupt(self):
        self.equal("[tracer] r 1 3fa c2 1 serial port\n",
                   "[tracer] i 0 ec 0 1 interrupt\n[tracer] w 8 80b 0 1 local APIC's MSR\n"
                   "[tracer] r 1 3fa c2 1 serial port\n")

    def test_end_of_interrupt(self):
        self.equal("[tracer] r 1 3fa c2 1 serial port\n[tracer] w 8 80b 0 1 local APIC's MSR\n",
                   "[tracer] r 1 3fa c2 1 serial port\n")

    def test_waiting(self):
        self.equal("[tracer] r 1 3fd 0 3 serial port\n", "")

    def test_seconds(self):
        self.equal("r 1 71 17 1", "r 1 71 18 1")

    def test_identification(self):
        self.equal("r 8 803 50014 1", "r 8 803 50014 2")


class AllElseDoes(unittest.TestCase):
    def different(self, old, new):
        self.assertIn(old, BOOT)
        self.assertIsNotNone(compared(BOOT + END, BOOT.replace(old, new) + END))

    def test_value_written(self):
        self.different("w 1 3f8 41 1", "w 1 3f8 42 1")

    def test_value_read(self):
        self.different("r 1 3fa c2 1", "r 1 3fa c1 1")

    def test_last_value_of_waiting(self):
        self.different("r 1 3fd 60 1", "r 1 3fd 40 1")

    def test_width(self):
        self.different("w 1 3f8 41 1", "w 2 3f8 41 1")

    def test_written_twice(self):
        self.different("w 1 3f8 41 1", "w 1 3f8 41 2")

    def test_order(self):
        one, other = ("[tracer] i 0 21 0 1 interrupt\n", "[tracer] r 1 3fa c2 1 serial port\n")
        self.different(one + other, other + one)

    def test_other_interrupt(self):
        self.different("i 0 21 0 1", "i 0 22 0 1")

    def test_setting_of_the_timer(self):
        self.different("w 8 832 400ec 1", "w 8 832 100ec 1")

    def test_control_of_the_clock(self):
        self.different("r 1 71 2 1", "r 1 71 6 1")

    def test_what_it_says(self):
        self.assertIn("serial port 3f8 writes 41 (8 bits)", compared(
            BOOT + END, BOOT.replace("w 1 3f8 41", "w 1 3f8 42") + END))


if __name__ == "__main__":
    unittest.main()
