# SPDX-License-Identifier: BSD-2-Clause
"""The state of a machine in QEMU, kept in a file, from which others begin: what is in its memory
and devices, not what is on its disks. Those others need the same options, and disks with the same
content."""

import json
import shlex
import socket
import time

from nacre.report import Failure

SOCKET = "control.sock"
LOOK_SECONDS = 0.1
# Of a machine that is to be kept.
OPTIONS = ("-qmp", f"unix:{SOCKET},server=on,wait=off")


def begin_options(file):
    """Of a machine that begins there."""
    return ("-incoming", f"exec:cat {shlex.quote(str(file))}")


class _Control:
    """QEMU's control connection: a command and its answer are a line each, events come between."""

    def __init__(self, connection):
        self._connection = connection
        self._lines = connection.makefile()
        self._lines.readline()  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        question = {"execute": command, "arguments": arguments}
        self._connection.sendall(json.dumps(question).encode() + b"\n")
        for line in self._lines:
            answer = json.loads(line)
            if "error" in answer:
                raise Failure(f"QEMU refuses {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise Failure(f"QEMU ended at {command}")


def keep(running, file):
    """Writes the state of a machine that has OPTIONS; it stands still afterwards."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(running.directory / SOCKET))
        control = _Control(connection)
        control.ask("migrate", uri=f"exec:cat > {shlex.quote(str(file))}")
        hope = running.progress()
        while (status := control.ask("query-migrate").get("status")) != "completed":
            why = "it failed" if status == "failed" else hope.complaint()
            if why:
                raise Failure(f"the machine's state could not be kept: {why}")
            time.sleep(LOOK_SECONDS)
