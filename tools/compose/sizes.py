# SPDX-License-Identifier: BSD-2-Clause
"""Sizes as people read them."""

UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def exact(size):
    """2 MiB, 12 KiB or 4097 bytes: the largest unit of which it is a whole number."""
    for name, unit in UNITS:
        if size and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} bytes"


def percent(part):
    """37.5 %: of a fraction of the whole."""
    return f"{100 * float(part):.1f}".removesuffix(".0") + " %"


def rounded(size):
    """1.5 MiB: of what need not be known to the byte."""
    for name, unit in UNITS:
        if size >= unit:
            return exact(size) if size % unit == 0 else f"{size / unit:.1f} {name}"
    return f"{size} bytes"
