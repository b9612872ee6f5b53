# SPDX-License-Identifier: BSD-2-Clause
"""What a kernel warns of as a guest and not on the bare machine.

Both print their messages with levels, as `dmesg -r` does, and the kernel itself with CONSOLE among
its arguments. A warning is a message of level 4 (KERN_WARNING) or more urgent, and any line with
one of a few words.
"""

import re

# For the whole log, with levels, at the console.
CONSOLE = "console=ttyS0 console_msg_format=syslog ignore_loglevel"
# Facility and level in one number, then the time.
MESSAGE = re.compile(r"<(\d+)>\[ *[\d.]+\] (.*)")
LEVELS, WARNING = 8, 4
WORDS = re.compile(r"warning|error|failed|unsupported", re.IGNORECASE)
NUMBER = re.compile(r"\b(0x)?[0-9a-f]*\d[0-9a-f]*\b")
# Of Nacre's consoles; what has none is not the guest's.
LABEL = "[linux] "
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]")
# A log of less was not read whole.
FEWEST_MESSAGES = 100


def lines_of(text):
    """(level or None, text) of each line of a machine or, where there are labels, of its guest."""
    lines = [CONTROL.sub("", line) for line in text.splitlines()]
    if any(line.startswith(LABEL) for line in lines):
        lines = [line.removeprefix(LABEL) for line in lines if line.startswith(LABEL)]
    for line in lines:
        message = MESSAGE.search(line)
        yield (int(message[1]) % LEVELS, message[2].strip()) if message else (None, line.strip())


def warnings(text):
    """Each warning once, by its text without numbers, which are of time and place."""
    return {NUMBER.sub("#", line): line for level, line in lines_of(text)
            if level is not None and level <= WARNING or WORDS.search(line)}


def unread(name, text):
    """Why the warnings of the machine of this name are not known, or nothing."""
    count = sum(level is not None for level, _ in lines_of(text))
    return [] if count >= FEWEST_MESSAGES else [
        f"{count} messages of the {name}'s kernel were read"]


def unknown(text, known):
    """The warnings that are not among the known ones, which have no numbers."""
    return [line for key, line in warnings(text).items() if key not in known]


def new(guest, bare):
    """The guest's warnings that the bare machine does not print, or why they are not known."""
    return (unread("guest", guest) or unread("bare machine", bare)
            or unknown(guest, warnings(bare)))
