# SPDX-License-Identifier: BSD-2-Clause
"""How the tool speaks to the person: one line a step, one clear line for a failure."""

import re
import subprocess
import sys
import time

from nacre import places


# Ninja's lines of what went well, and command lines of any length.
PROGRESS = re.compile(r"\[\d+/\d+\]")
LONGEST_LINE = 240


class Failure(Exception):
    """Something the person can act on; the text says where it is and what to do."""

    status = 1


class Misuse(Failure):
    """Nothing was tried: what was asked for cannot be done with what is here."""

    status = 2


def step(text):
    print(f"nacre: {text}", file=sys.stderr, flush=True)


def warn(text):
    print(f"nacre: warning: {text}", file=sys.stderr, flush=True)


def log_tail(path, lines=25):
    """The last lines of a log file with content, indented for a failure message."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return ""
    telling = [line for line in text.splitlines() if not PROGRESS.match(line)]
    return "\n".join("    " + line[:LONGEST_LINE] for line in telling[-lines:])


def run_logged(command, name, **options):
    """Runs a command with its output in build/logs/NAME.log; a failure shows the log's end."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / f"{name}.log"
    start = time.monotonic()
    with log.open("wb") as output:
        try:
            status = subprocess.run(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, check=False, **options).returncode
        except FileNotFoundError as error:
            raise Failure(f"{command[0]} is not installed: install it or run "
                          "`./nacre run` on Debian, which does so") from error
    if status != 0:
        raise Failure(f"{name} failed with status {status} ({places.shown(log)}):\n{log_tail(log)}")
    return time.monotonic() - start
