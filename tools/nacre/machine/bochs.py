# SPDX-License-Identifier: BSD-2-Clause
"""How a Bochs machine is described and started; Bochs is the emulator that has VT-x everywhere.

COM1 is a TCP connection that Bochs opens to us: the one serial mode that goes both ways,
needs no terminal device, and loses nothing when Bochs ends.
"""

import dataclasses
import pathlib
import re

from nacre.machine import machine_clock, network
from nacre.machine.disks import NO_DISKS, Disks, bochs_lines, link_for_bochs

PROGRAM = "bochs"
# Written to the log when the machine turned itself off rather than failed.
POWERED_OFF = ("Shutdown port: shutdown requested", "ACPI control: soft power off")
# MiB; Bochs keeps what is more in a file of its directory.
MOST_HOST_MEMORY = 2048
MOST_STOPS = 10000

CONFIG = """\
config_interface: textconfig
display_library: term
cpu: model={cpu}, count={cores}, ips={ips}
cpu: reset_on_triple_fault=0, ignore_bad_msrs={ignore_bad_msrs}
memory: guest={memory}, host={host_memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/vgabios/vgabios.bin
{drives}
boot: cdrom
log: bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
com1: enabled=1, {serial}
port_e9_hack: enabled=1
speaker: enabled=0
sound: driver=dummy
mouse: enabled=0
clock: sync={sync}, time0={time0}
"""


@dataclasses.dataclass
class Settings:
    """What may differ from one Bochs machine to the next."""

    iso: pathlib.Path
    serial: str
    memory: int = 1024
    # Instructions in a second of the machine's time; its TSC has this rate.
    ips: int = 50_000_000
    # The machine ends after so many seconds of its own time; none: it runs until it is ended.
    limit: int | None = machine_clock.LIMIT
    cores: int = 1
    # All of VT-x that Nacre can use; on the newer tigerlake a stock Linux takes five times as long.
    cpu: str = "corei7_skylake_x"
    # "none" makes runs reproducible and skips idle time; "slowdown" keeps to the wall clock.
    sync: str = "none"
    # A fixed clock for reproducible runs, or "local" for people.
    time0: str = "946684800"
    # Foreign kernels read MSRs that CPUID promises and Bochs lacks.
    ignore_bad_msrs: int = 0
    disks: Disks = NO_DISKS
    wire: network.Network | None = None


def serial_socket(port):
    return f"mode=socket-client, dev=127.0.0.1:{port}"


def config_text(settings):
    drives = bochs_lines(settings.disks, settings.iso)
    return CONFIG.format(**vars(settings), drives=drives,
                         host_memory=min(settings.memory, MOST_HOST_MEMORY))


def prepare(settings, directory):
    """Writes the machine's files into its directory and returns the command that starts it."""
    directory = pathlib.Path(directory)
    link_for_bochs(settings.disks, directory)
    (directory / "machine.bxrc").write_text(
        config_text(settings) + network.bochs_lines(settings.wire, directory))
    # Debian's Bochs has the debugger built in, and waits at its prompt for a command, at
    # the start and whenever it was asked for the time (machine_clock.py).
    (directory / "debugger.rc").write_text("c\n" * MOST_STOPS)
    return [PROGRAM, "-q", "-f", "machine.bxrc", "-rc", "debugger.rc"]


def ending(directory, status):
    """Why the machine stopped, from its log: None for a power-off, else one line."""
    try:
        log = (pathlib.Path(directory) / "bochs.log").read_text(errors="replace")
    except OSError:
        return "Bochs left no log: it did not start"
    panics = re.findall(r">>PANIC<< (.*)", log)
    if not panics:
        return f"Bochs stopped with status {status} without saying why"
    return None if panics[0].startswith(POWERED_OFF) else panics[0]
