# SPDX-License-Identifier: BSD-2-Clause
"""The measuring task takes every figure: what the kernel cannot do any more shows here first."""

from nacre.bench import cores, marks, measure
from nacre.test import results


def check(name, request, expected):
    """One result: whether there is a figure, counted in instructions, for each expected name."""
    name = f"system/{name}"
    figures = {figure["name"]: figure for figure in measure.run(request)}
    wrong = [one for one in expected if one not in figures or figures[one]["median"] == 0
             or figures[one]["unit"] != "instructions"]
    if wrong:
        return [results.failed(name, f"no figure in instructions: {', '.join(wrong)}")]
    return [results.passed(name, f"{len(figures)} figures")]


GUESTS = [name for name in marks.MARKS if name.startswith(marks.GUESTS)]


def in_qemu():
    return check("bench-qemu", measure.Request("qemu"),
                 [name for name in marks.MARKS if name not in GUESTS])


def in_bochs():
    return check("bench-bochs", measure.Request("bochs", rows=marks.GUESTS), GUESTS)


def by_amd_v():
    return check("bench-svm", measure.Request("qemu", rows=marks.GUESTS, cpu="max"), GUESTS)


def on_cores():
    return check("bench-cores", measure.Request("qemu", rows=cores.SHARED_ROWS, cpu="max",
                                                cores=cores.UP),
                 [*cores.SHARED, *cores.ACROSS])


ROWS = [
    ("bench-qemu", "the measuring task takes every figure that needs no guest", in_qemu),
    ("bench-bochs", "the measuring task takes every figure of guests", in_bochs),
    ("bench-svm", "so it does by AMD-V", by_amd_v),
    ("bench-cores", "so it does on four cores", on_cores),
]
