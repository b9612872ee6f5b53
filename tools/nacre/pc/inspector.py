# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre inspect`: a machine's hardware report, from a saved log or from an emulator, as a board
file."""

import json

from compose import output
from nacre import build, packages, places
from nacre.machine import emulator, machine
from nacre.pc import board
from nacre.report import Failure, step
from nacre.terminal import console

ARGUMENTS = "report=only"
END = "report: end"
SECONDS = 300


def from_emulator(options):
    """What QEMU's machine with these options reports."""
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    options.emulator = "qemu"
    request = emulator.wanted(options, None)
    emulator.check(options.emulator, request)
    build.compile_all()
    settings = {"memory": request.memory, "cores": request.cores, "clock": "emulated",
                "limit": SECONDS}
    cpu = emulator.model("qemu", "tcg", options.cpu)
    if cpu:
        settings["cpu"] = cpu
    step("booting the initial task in QEMU for its report")
    with machine.QemuMachine(kernel=build.artefact("kernel-debug.elf32"),
                             modules=(build.artefact("root.elf"),), arguments=ARGUMENTS,
                             **emulator.of_qemu(request), **settings) as running:
        return collected(running)


def collected(running):
    """All that the machine says until the report's end."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / "inspect.log"
    with log.open("wb") as file:
        why = console.Session(running, [("until", END)], output=file).run()
    if why:
        raise Failure(f"no report came: {why}; {places.shown(log)} has what did")
    return log.read_text(errors="replace")


def read_log(path):
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise Failure(f"{places.shown(path)}: cannot be read: {error.strerror}") from None


def run(options):
    """The subcommand."""
    if options.log:
        text, path = read_log(options.log), places.shown(options.log)
    else:
        text, path = from_emulator(options), "QEMU"
    found = board.of_log(text, path)
    for line in board.shown(found):
        print(line)
    if options.output:
        output.write(options.output, json.dumps(found, indent=1) + "\n")
        step(f"{places.shown(options.output)} has it: ./nacre build FILE.system --board "
             f"{places.shown(options.output)}")
    return 0
