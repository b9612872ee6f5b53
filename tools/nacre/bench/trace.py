# SPDX-License-Identifier: BSD-2-Clause
"""What tools/plugin counted: reads its file, and tells where instructions and cache lines are."""

import bisect
import collections
import dataclasses
import itertools
import re
import subprocess

from nacre.report import Failure

LINE = 64
KERNEL = 1 << 63
ROW = re.compile(r"row instructions=(\d+) kernel=(\d+) code=(\d+) data=(\d+) branches=(\d+) "
                 r"taken=(\d+) lost=(\d+)")
# For a row in which several virtual CPUs had a part.
CORES = re.compile(r"cores waited=(\d+) written-by-two=(\d+) written-and-read=(\d+) locked=(\d+) "
                   r"locked-shared=(\d+)")
CORE = re.compile(r"core (\d+) kernel=(\d+) waited=(\d+)")
EVENT = re.compile(r"([ibplrw]) ([0-9a-f]+) (\d+)( taken)?(?: cpu (\d+))?")


@dataclasses.dataclass(frozen=True)
class Event:
    """kind: an (i)nstruction, a conditional (b)ranch, (p)ause or (l)ocked one, or the (r)ead or
    (w)rite of one."""

    kind: str
    address: int
    size: int
    taken: bool = False
    cpu: int = 0

    @property
    def executed(self):
        return self.kind not in "rw"


@dataclasses.dataclass(frozen=True)
class Sharing:
    """What virtual CPUs had to do with each other in the kernel (tools/plugin/trace.h)."""

    waited: int
    written_by_two: int
    written_and_read: int
    locked: int
    locked_shared: int


@dataclasses.dataclass
class Row:
    """The median sample of one row of the measuring task."""

    instructions: int
    kernel: int
    code: int
    data: int
    branches: int
    taken: int
    lost: int
    events: list = dataclasses.field(default_factory=list)
    sharing: Sharing | None = None
    # By virtual CPU: instructions in the kernel without those that waited.
    cores: dict = dataclasses.field(default_factory=dict)


def rows_of(path):
    """The rows in the plugin's file, in the order in which the task took them."""
    rows, row = [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if found := ROW.fullmatch(line):
            row = Row(*map(int, found.groups()))
        elif row and (found := EVENT.fullmatch(line)):
            kind, address, size, taken, cpu = found.groups()
            row.events.append(
                Event(kind, int(address, 16), int(size), bool(taken), int(cpu or 0)))
        elif row and (found := CORES.fullmatch(line)):
            row.sharing = Sharing(*map(int, found.groups()))
        elif row and (found := CORE.fullmatch(line)):
            cpu, kernel, waited = map(int, found.groups())
            row.cores[cpu] = kernel - waited
        elif row and line == "end":
            rows.append(row)
            row = None
        else:
            raise Failure(f"{path}:{number}: the counting plugin wrote no line of its format")
    return rows


def tool_output(command, text=""):
    result = subprocess.run([str(word) for word in command], input=text, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        raise Failure(f"{command[0]} failed: {result.stderr.strip()}")
    return result.stdout


class Symbols:
    """Names of addresses in an ELF, and the lines of source they were made of."""

    def __init__(self, elf):
        self.elf = elf
        found = [line.split() for line in tool_output(["nm", "-n", "--defined-only", elf])
                 .splitlines()]
        self._table = [(int(word[0], 16), word[2]) for word in found if len(word) == 3]
        self._sources = {}

    def address(self, name):
        for address, other in self._table:
            if name == other:
                return address
        raise Failure(f"{self.elf}: there is no symbol {name}")

    def name(self, address, reach=1 << 20):
        """SYMBOL+OFFSET of what contains the address, empty where nothing near does."""
        index = bisect.bisect_right(self._table, (address, "\x7f")) - 1
        if index < 0 or address - self._table[index][0] > reach:
            return ""
        start, name = self._table[index]
        return name if start == address else f"{name}+{address - start:#x}"

    def function(self, address):
        return self.name(address).partition("+")[0]

    def read_sources(self, addresses):
        """Asks once for all addresses that source() is to know."""
        wanted = sorted(set(addresses) - self._sources.keys())
        if not wanted:
            return
        text = tool_output(["addr2line", "-a", "-f", "-e", self.elf],
                           "".join(f"{address:#x}\n" for address in wanted))
        for address, function, place in zip(*[iter(text.splitlines())] * 3):
            file = place.split(" ")[0].rsplit("/", 1)[-1]
            self._sources[int(address, 16)] = (function, file)

    def source(self, address):
        """(function, FILE:LINE): of inlined code the function it was written in."""
        return self._sources.get(address, ("?", "?"))


def lines_touched(address, size):
    return range(address // LINE * LINE, address + size, LINE)


def kernel_events(row):
    """(event, address of its instruction) of all that kernel code did."""
    at = collections.defaultdict(int)
    for event in row.events:
        if event.executed:
            at[event.cpu] = event.address
        if at[event.cpu] & KERNEL:
            yield event, at[event.cpu]


def function_lines(row, symbols):
    """Instructions by function, and under each those of the functions inlined there."""
    counts = collections.defaultdict(collections.Counter)
    for event, at in kernel_events(row):
        if event.executed:
            counts[symbols.function(at)][symbols.source(at)[0]] += 1
    lines = ["", "instructions by function, and by the inlined functions in it"]
    for name, parts in sorted(counts.items(), key=lambda item: -item[1].total()):
        inlined = ", ".join(f"{part} {count}" for part, count in parts.most_common()
                            if part != name)
        lines.append(f"{parts.total():6}  {name}{': ' if inlined else ''}{inlined}")
    return lines


def code_lines(row, symbols):
    found = collections.defaultdict(list)
    for event, _ in kernel_events(row):
        if event.executed:
            for line in lines_touched(event.address, event.size):
                found[line].append(event.address)
    lines = ["", f"{len(found)} lines of kernel code, in the order of their first instruction"]
    for line, addresses in found.items():
        functions = dict.fromkeys(map(symbols.function, addresses))
        lines.append(f"  {line:x}  {len(addresses):4} instructions of {', '.join(functions)}")
    return lines


def bytes_touched(row, symbols):
    """By line and byte in it: which of r and w there were, and the sources of both."""
    found = collections.defaultdict(lambda: collections.defaultdict(lambda: ({}, {})))
    for event, at in kernel_events(row):
        if event.executed:
            continue
        for address in range(event.address, event.address + event.size):
            ways, sources = found[address // LINE * LINE][address % LINE]
            ways[event.kind] = sources[symbols.source(at)] = None
    return found


def data_lines(row, symbols):
    """Each line with the bytes in it that were touched, how, and by whom."""
    found = bytes_touched(row, symbols)
    lines = ["", f"{len(found)} lines of kernel data, in the order of their first access"]
    for line, touched in found.items():
        lines.append(f"  {line:x} {symbols.name(line)}".rstrip())
        for (ways, sources), group in itertools.groupby(
                sorted(touched), key=lambda place, touched=touched: touched[place]):
            places = list(group)
            who = ", ".join(f"{function} ({place})" for function, place in sources)
            lines.append(f"    +{places[0]:02x}-{places[-1]:02x}  {''.join(sorted(ways)):2}  {who}")
    return lines


def shared_lines(row, symbols):
    """Lines that the kernel wrote on one core, and touched on another."""
    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    for event, at in kernel_events(row):
        if not event.executed:
            for line in lines_touched(event.address, event.size):
                found[line][event.cpu].setdefault(event.kind, symbols.source(at))
    shared = {line: cores for line, cores in found.items()
              if len(cores) > 1 and any("w" in ways for ways in cores.values())}
    lines = ["", f"{len(shared)} lines of data that one core wrote, and another wrote or read"]
    for line, cores in shared.items():
        lines.append(f"  {line:x} {symbols.name(line)}".rstrip())
        for cpu, ways in sorted(cores.items()):
            who = ", ".join(f"{kind} {function} ({place})"
                            for kind, (function, place) in sorted(ways.items()))
            lines.append(f"    core {cpu}: {who}")
    return lines


def branch_lines(row, symbols):
    taken = collections.Counter(at for event, at in kernel_events(row)
                                if event.kind == "b" and event.taken)
    lines = ["", f"{taken.total()} conditional branches taken in the kernel, "
                 f"of {row.branches} met"]
    for at, count in taken.items():
        function, place = symbols.source(at)
        times = f", {count} times" if count > 1 else ""
        lines.append(f"  {at:x}  {symbols.name(at)}: {function} ({place}){times}")
    return lines


def report(row, symbols):
    """All about one operation, for who makes it faster."""
    symbols.read_sources(at for _, at in kernel_events(row))
    lines = [f"{row.instructions} instructions, {row.kernel} of them in the kernel"]
    if row.lost:
        lines.append(f"the last {row.lost} events are lost: the operation is too long")
    for part in (function_lines, code_lines, data_lines, branch_lines):
        lines += part(row, symbols)
    if row.sharing:
        lines += shared_lines(row, symbols)
    return "\n".join(lines)
