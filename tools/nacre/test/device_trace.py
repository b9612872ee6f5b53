# SPDX-License-Identifier: BSD-2-Clause
"""Traces of a guest's device accesses (tests/system/systems/guest_trace): whether two are equal.

All accesses and interrupts of a guest make one sequence. What time alone decides is left out of it,
by these rules and no others:

* of a register that is read several times in a row only the last read counts: software waits there;
* the timer of the local APIC: writes of its deadline, the interrupts of its vector. How many there
  are follows from how long the guest ran;
* ends of interrupts: where nothing else waits, the guest ends one by a word of its memory;
* values read from the clock's registers of time, seconds to century.

One rule is for what CPUs of two makers have Linux do: the local APIC's ID and version, which never
change, are read more often on one than on the other.
"""

import dataclasses
import re

from nacre import places
from nacre.test import results
from nacre.test.system_tests import judge, replaced_iso

FOLDER = places.ROOT / "tests" / "system" / "systems" / "guest_trace"
LINE = re.compile(r"\[tracer\] ([rwi]) (\d+) ([0-9a-f]+) ([0-9a-f]+) (\d+) (.+)")
END = re.compile(r"\[tracer\] end of the trace: (\d+) accesses, (\d+) lost")
END_TEXT = "[tracer] end of the trace"
APIC, CLOCK, INTERRUPT = "local APIC's MSR", "real-time clock", "interrupt"
# MSRs of the local APIC (SDM 3A, table 11-6).
DEADLINE, ID, VERSION, END_OF_INTERRUPT, TIMER = 0x6e0, 0x802, 0x803, 0x80b, 0x832
VECTOR = 0xff
INDEX, DATA = 0x70, 0x71
NOT_MASKED = 0x7f
# Of time and date, alarms left out.
TIME_REGISTERS = (0, 2, 4, 6, 7, 8, 9, 0x32)
AROUND = 3


@dataclasses.dataclass(frozen=True)
class Access:
    """kind: (r)ead, (w)rite, or (i)nterrupt; the value is None where time decides it."""

    kind: str
    width: int
    address: int
    value: int | None
    device: str

    def __str__(self):
        value = "any" if self.value is None else f"{self.value:x}"
        if self.kind == "i":
            return f"{self.device} {self.address:x}"
        verb = "reads" if self.kind == "r" else "writes"
        return f"{self.device} {self.address:x} {verb} {value} ({8 * self.width} bits)"

    @property
    def register(self):
        return self.kind, self.address, self.device


def parsed(text):
    """The accesses in what the tracer printed, and why they are not all, or None."""
    accesses = []
    for line in text.splitlines():
        if end := END.match(line):
            count, lost = map(int, end.groups())
            if lost:
                return accesses, f"the trace had no room for {lost} accesses"
            if count != len(accesses):
                return accesses, f"{len(accesses)} accesses of {count} were printed"
            return accesses, None
        if found := LINE.match(line):
            kind, width, address, value, times, device = found.groups()
            access = Access(kind, int(width), int(address, 16), int(value, 16), device)
            accesses += [access] * int(times)
    return accesses, "the trace has no end"


def without_timer(accesses):
    """Leaves out deadlines, interrupts of the timer, and ends of interrupts."""
    timer = None
    for access in accesses:
        is_apic = access.device == APIC
        if is_apic and access.register[:2] == ("w", TIMER):
            timer = access.value & VECTOR
        is_tick = access.kind == "i" and access.address == timer
        if not is_tick and not (is_apic and access.address in (DEADLINE, END_OF_INTERRUPT)):
            yield access


def without_time(accesses):
    """Values of the clock's registers of time are not looked at."""
    index = None
    for access in accesses:
        if access.device == CLOCK and access.kind == "w" and access.address == INDEX:
            index = access.value & NOT_MASKED
        is_time = access.device == CLOCK and access.kind == "r" and access.address == DATA \
            and index in TIME_REGISTERS
        yield dataclasses.replace(access, value=None) if is_time else access


def without_identification(accesses):
    for access in accesses:
        if access.device != APIC or access.kind != "r" or access.address not in (ID, VERSION):
            yield access


def without_waiting(accesses):
    """Of reads of one register in a row the last."""
    before = None
    for access in accesses:
        if before and not (before.kind == "r" and before.register == access.register):
            yield before
        before = access
    if before:
        yield before


def comparable(accesses):
    """What must be equal wherever the guest runs."""
    return list(without_waiting(without_identification(without_time(without_timer(accesses)))))


def difference(one, other):
    """Where two lists of comparable accesses part, in words, or None."""
    for place in range(max(len(one), len(other))):
        if one[place:place + 1] == other[place:place + 1]:
            continue
        before = "; ".join(map(str, one[max(0, place - AROUND):place]))
        here, there = ("; ".join(map(str, side[place:place + AROUND])) or "nothing more"
                       for side in (one, other))
        return f"access {place} differs: after [{before}] there is [{here}] or [{there}]"
    return None


def run(name, start, replacements, steps, guest="linux"):
    """(results, accesses) of a traced guest, `steps` until it has stopped; the accesses are None if
    it failed. `start` makes a machine of an ISO."""
    iso = replaced_iso(name, replacements,
                       lambda text: text.replace('name="linux"', f'name="{guest}"'),
                       FOLDER / "guest_trace.system")
    found, text = judge(name, start(iso), [*steps, ("until", END_TEXT), ("until", "lost")])
    if found[0].outcome != results.PASSED:
        return found, None
    accesses, problem = parsed(text)
    if problem:
        return [results.failed(f"system/{name}", problem)], None
    return found, accesses


def judged(name, by_vtx, by_svm):
    """Whether traces of both engines are equal, as a result."""
    differs = difference(comparable(by_vtx), comparable(by_svm))
    full = f"system/{name}/equal"
    return results.failed(full, f"VT-x and AMD-V: {differs}") if differs else results.passed(full)
