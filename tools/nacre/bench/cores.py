# SPDX-License-Identifier: BSD-2-Clause
"""The figures of bench/smp.py for people: marks and the table."""

import dataclasses

# Names of figures taken with a lock at every entry end so.
BIG_LOCK = "-biglock"
BIG_LOCK_ARGUMENT = "biglock=on"
# Rows for one core, by the beginnings of their names; a run of the task takes a line of them.
LOCAL_ROWS = (("call-two", "reply-two", "signal-to-", "vm-page-c"),
              ("page-m", "fault", "cap-c", "yield-to-e", "retype-e"))
FAST = {"call-two-spaces": "Call", "reply-two-spaces": "ReplyRecv",
        "signal-to-higher-two-spaces": "Signal to a higher thread",
        "signal-to-lower": "Signal to a lower thread", "fault": "fault to its handler",
        "vm-page-cpuid": "VM exit and back"}
SLOW = {"page-map": "map a page", "cap-copy": "copy a capability",
        "yield-to-equal": "Yield to an equal thread", "retype-endpoint": "retype an endpoint"}
LOCAL = FAST | SLOW
# Instructions with one core before the kernel knew of others.
BEFORE = {"call-two-spaces": 135, "reply-two-spaces": 147}
MORE = 12
MORE_SLOW = 80
# Rows for several cores, and how many of these are up.
PREFIX = "cores-"
UP = 4
LOCAL_ROW = "cores-local-"
UNMAP = "cores-unmap"
RATE = "cores-rate-"
SHARED_ROWS = ("cores-l", "cores-s", "cores-c", "cores-u")
SHARED = {"cores-local-call": "Call and ReplyRecv", "cores-local-signal": "Signal",
          "cores-local-wait": "Signal, and Wait of who it wakes", "cores-local-exit": "VM exits"}
ACROSS = {"cores-signal": ("Signal to a thread of an idle core, until it runs", 700),
          "cores-call": ("Call to a server of another core and back", 2000),
          UNMAP: ("unmap a page that four cores use, on the core that does it", 1500)}
RATES = (1, 2, 4, 8)
LINEAR = 0.98


def local_name(name, count):
    return f"{name}-{count}-{'core' if count == 1 else 'cores'}"


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of the table: at most `mark`, or at least; None has no mark."""

    title: str
    value: float
    mark: float | None = None
    at_least: bool = False

    @property
    def missed(self):
        if self.mark is None:
            return False
        return self.value < self.mark if self.at_least else self.value > self.mark


def local_lines(medians):
    """What one core does, and how much more with four cores up."""
    for name, title in FAST.items():
        one, four = (medians[local_name(name, count)] for count in (1, 4))
        yield Line(f"{title}, one core up", one, BEFORE.get(name))
        yield Line(f"{title}, four up: more", four - one, MORE if name in BEFORE else None)
    for name, title in SLOW.items():
        one, four = (medians[local_name(name, count)] for count in (1, 4))
        yield Line(f"{title}, one core up", one)
        yield Line(f"{title}, four up: more", four - one, MORE_SLOW)


def shared_lines(figures):
    for one in figures:
        name = one["name"].removesuffix(BIG_LOCK)
        if name not in SHARED:
            continue
        title = f"{SHARED[name]} on two cores"
        yield Line(f"{title}: lines written by both", one["written_by_two"], 0)
        yield Line(f"{title}: written by one, read by the other", one["written_and_read"], 0)
        yield Line(f"{title}: locked instructions on shared lines", one["locked_shared"], 0)


def across_lines(medians):
    for name, (title, mark) in ACROSS.items():
        yield Line(title, medians[name], mark)


def rate_lines(medians):
    one = medians[f"{RATE}{RATES[0]}"]
    yield Line("calls of one core in two million ticks", one)
    for count in RATES[1:]:
        share = medians[f"{RATE}{count}"] / (one * count)
        yield Line(f"rate of {count} cores, share of linear", round(share, 3), LINEAR,
                   at_least=True)


def lines_of(figures):
    medians = {one["name"].removesuffix(BIG_LOCK): one["median"] for one in figures}
    return [*local_lines(medians), *shared_lines(figures), *across_lines(medians),
            *rate_lines(medians)]


def table(figures, locked):
    """Each line with its mark, a star where that is missed, and the same with one lock."""
    found = lines_of(figures)
    lines = [f"{'':71}{'Nacre':>8}{'mark':>7}  {'biglock=on':>10}"]
    for line, other in zip(found, lines_of(locked), strict=True):
        mark = "-" if line.mark is None else line.mark
        lines.append(f"{line.title:71}{line.value:>8}{mark:>7}{' *' if line.missed else '  '}"
                     f"{other.value:>10}")
    missed = sum(line.missed for line in found)
    if missed:
        lines.append(f"* {missed} of {len(found)} miss their mark")
    return "\n".join(lines)
