# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's monitor: commands to it, and what it knows of the screen."""

import socket
import time

from nacre.report import Failure

OPTIONS = ("-monitor", "unix:monitor,server=on,wait=off")
SECONDS = 120
PROMPT = b"\n(qemu) "
# Text mode of a VGA: 25 lines of 80 characters, each with its colours.
TEXT_ADDRESS, TEXT_BYTES, TEXT_LINE = 0xb8000, 4000, 160


def connect(running):
    """QEMU makes the monitor's socket after COM1's."""
    monitor = socket.socket(socket.AF_UNIX)
    monitor.settimeout(SECONDS)
    for _ in range(100):
        try:
            monitor.connect(str(running.directory / "monitor"))
            return monitor
        except OSError:
            time.sleep(0.1)
    monitor.close()
    raise Failure("QEMU has no monitor")


def tell(running, *commands):
    """Types commands at the monitor; returns when QEMU has answered all of them, or has ended."""
    with connect(running) as monitor:
        for command in (None, *commands):
            if command:
                monitor.sendall(f"{command}\n".encode())
            answer = more = monitor.recv(4096)
            while more and not answer.endswith(PROMPT):
                more = monitor.recv(4096)
                answer += more


def screen_text(running):
    """The lines of a screen in text mode."""
    tell(running, f"pmemsave {TEXT_ADDRESS:#x} {TEXT_BYTES} text")
    data = (running.directory / "text").read_bytes()
    return [data[start:start + TEXT_LINE:2].decode("cp437").rstrip("\0 ")
            for start in range(0, TEXT_BYTES, TEXT_LINE)]


def screen_points(running):
    """The colours of all points of any screen, as (red, green, blue)."""
    tell(running, "screendump picture")
    # A PPM: kind, width, height, the most of a colour, and the points.
    points = (running.directory / "picture").read_bytes().split(maxsplit=4)[4]
    return list(zip(points[::3], points[1::3], points[2::3]))
