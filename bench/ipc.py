# SPDX-License-Identifier: BSD-2-Clause
"""How many instructions do messages, signals, faults, interrupts, mappings and objects cost?

bench-kernel.elf runs as the initial task under the release kernel, in QEMU with -icount shift=0,
where the time stamp counter is the count of instructions. tools/plugin counts cache lines and
branches in the same run.
"""

import json

from nacre import build, console, machine, packages, places, trace
from nacre.report import Failure, step

END = "bench done"
BROKEN = "bench failed: "
SECONDS = 300

# Figure: what it is, seL4 16 by the same measurement (text: a range), and our mark. Figures of the
# task that are not here have neither.
MARKS = {
    "call-two-spaces": ("Call, two address spaces", 212, 145),
    "reply-two-spaces": ("ReplyRecv back to the client", 277, 165),
    "call-one-space": ("Call, one address space", 210, 140),
    "reply-one-space": ("ReplyRecv, one address space", 275, 160),
    "call-fpu": ("Call, FPU in use by both", 226, 155),
    "reply-fpu": ("ReplyRecv, FPU in use by both", 293, 180),
    "call-4-words": ("Call, 4 words", None, None),
    "reply-4-words": ("ReplyRecv, 4 words", None, None),
    "call-10-words": ("Call, 10 words", 1007, 330),
    "reply-10-words": ("ReplyRecv, 10 words", 1181, 360),
    "send-to-higher": ("Send to a waiting higher thread", 868, 350),
    "null-syscall": ("null system call", 100, 60),
    "signal-to-higher-one-space": ("Signal to a higher thread, same space", "703-882", 250),
    "signal-to-higher-two-spaces": ("Signal to a higher thread, other space", "703-882", 250),
    "signal-to-lower": ("Signal to a lower thread", 509, 170),
    "yield-alone": ("Yield without switch", 482, 220),
    "yield-to-equal": ("Yield to an equal thread", 478, 240),
    "fault": ("fault to its handler", 697, 320),
    "fault-reply": ("handler's reply to the faulter", 1242, 360),
    "interrupt-to-handler": ("interrupt to its handler", 535, 260),
    "timer-to-thread": ("end of a period to its thread", None, None),
    "page-map": ("map a 4 KiB page", 808, 380),
    "page-rights": ("change its rights", 809, 360),
    "page-unmap": ("unmap it", 666, 320),
    "retype-frame": ("retype a 4 KiB frame", 1029, 800),
    "retype-tcb": ("retype a TCB", 5115, 1500),
    "retype-endpoint": ("retype an endpoint", None, None),
    "delete-tcb": ("delete a TCB", 2181, 900),
    "delete-endpoint": ("delete an endpoint", None, None),
    "cap-copy": ("copy a capability", None, None),
    "cap-delete": ("delete a copy", None, None),
    "cap-revoke-1": ("revoke 1 copy", None, None),
    "cap-revoke-16": ("revoke 16 copies", None, None),
}

# Limits of what the kernel executes and touches, by figure: (field, at most, what it is).
LIMITS = {
    "call-two-spaces": (("code_lines", 12, "lines of kernel code"),
                        ("data_lines", 14, "lines of kernel data"),
                        ("taken", 6, "conditional branches taken in the kernel")),
}


def figures_of(text):
    """The figures in the task's output: a dictionary for each line of JSON."""
    found = []
    for line in text.splitlines():
        if line.startswith(BROKEN):
            raise Failure(f"ipc: the measuring task gave up at {line.removeprefix(BROKEN)}")
        if line.startswith('{"name"'):
            figure = json.loads(line)
            found.append({**figure, "unit": "instructions",
                          "machine": f"{figure['machine']}, icount"})
    return found


def missed(figure):
    mark = MARKS.get(figure["name"], ("", None, None))[2]
    return mark is not None and figure["median"] > mark


def footprint(figure):
    """The table's columns of what the plugin counted."""
    return "".join(f"{figure.get(field, '-'):>7}" for field in (
        "code_lines", "data_lines", "branches", "taken"))


def limit_lines(figures):
    """A sentence for each figure whose lines and branches are limited."""
    for figure in figures:
        for field, limit, what in LIMITS.get(figure["name"], ()):
            if field in figure:
                star = " *" if figure[field] > limit else ""
                yield f"{MARKS[figure['name']][0]}: {figure[field]} {what}, at most {limit}{star}"


def table(figures):
    """Each figure beside the reference and the mark; a star where the mark is missed."""
    lines = [f"{'':65}  --- in the kernel: ---",
             f"{'instructions, median':40}{'seL4 16':>10}{'Nacre':>8}{'mark':>7}  "
             f"{'code':>7}{'data':>7}{'cond.':>7}{'taken':>7}",
             f"{'':65}  {'lines':>7}{'lines':>7}{'jumps':>7}"]
    for figure in figures:
        title, reference, mark = MARKS.get(figure["name"], (figure["name"], None, None))
        star = " *" if missed(figure) else "  "
        lines.append(f"{title:40}{reference or '-':>10}{figure['median']:>8}{mark or '-':>7}{star}"
                     f"{footprint(figure)}")
    count = sum(missed(figure) for figure in figures)
    if count:
        lines.append(f"* above its mark: {count} of {len(figures)} figures")
    return "\n".join([*lines, *limit_lines(figures)])


def plugin_options(task, counted):
    """QEMU's options for tools/plugin, which knows samples and rows by the task's functions."""
    symbols = trace.Symbols(task)
    marks = {"sample": hex(symbols.address("sample_add")),
             "row": hex(symbols.address("samples_print")), "out": str(counted)}
    # QEMU splits the option at commas; a doubled one stands for itself.
    words = [str(build.artefact("count.so"))] + [f"{key}={value}" for key, value in marks.items()]
    return ("-plugin", ",".join(word.replace(",", ",,") for word in words))


def count(figures, rows):
    """Adds to each figure what the plugin counted for the median sample of its row."""
    if len(rows) != len(figures):
        raise Failure(f"ipc: the counting plugin saw {len(rows)} rows, the task {len(figures)}")
    for figure, row in zip(figures, rows):
        if not row.lost:
            figure.update(kernel=row.kernel, code_lines=row.code, data_lines=row.data,
                          branches=row.branches, taken=row.taken)


def operation_report(name, figures, rows):
    """Where the instructions and lines of one figure are, in the kernel."""
    names = [figure["name"] for figure in figures]
    if name not in names:
        raise Failure(f"ipc: no operation {name}; there are {', '.join(names)}")
    return f"{name}: " + trace.report(rows[names.index(name)],
                                      trace.Symbols(build.artefact("kernel-release.elf")))


def measure(options):
    packages.ensure(packages.BUILD, packages.EMULATE)
    build.compile_all()
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / "bench-ipc.log"
    step(f"measuring the release kernel in QEMU, counting instructions ({places.shown(log)})")
    task = build.artefact("bench-kernel.elf")
    counted = places.LOGS / "bench-ipc.counted"
    with log.open("wb") as output, machine.QemuMachine(
            kernel=build.artefact("kernel-release.elf32"), modules=(task,), clock="instructions",
            extra=plugin_options(task, counted)) as running:
        why = console.Session(running, [("until", END)], SECONDS, output).run()
    figures = figures_of(log.read_text(errors="replace"))
    if why:
        raise Failure(f"ipc: {why} ({places.shown(log)})")
    rows = trace.rows_of(counted)
    count(figures, rows)
    if options.operation:
        return figures, operation_report(options.operation, figures, rows)
    return figures, table(figures)
