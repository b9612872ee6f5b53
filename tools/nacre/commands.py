# SPDX-License-Identifier: BSD-2-Clause
"""The subcommands but for `test` and `bench`: run, build, iso, boot."""

import os
import pathlib
import sys

from nacre import (build, console, disks, emulator, machine, network, packages, places,
                   product)
from nacre.report import Failure, step

UNTIL_SECONDS = 900


def run_session(machine_running, options):
    """Joins the machine with the terminal; the exit status says whether it went as asked."""
    timeout = options.timeout or (UNTIL_SECONDS if options.steps else None)
    session = console.Session(machine_running, options.steps, timeout)
    why = session.run()
    if why is None:
        if options.steps:
            session.linger(options.linger)
        return 0
    print(f"\nnacre: {why}", file=sys.stderr, flush=True)
    output = machine_running.output().strip()
    if "machine stopped" in why and output:
        print(f"{machine_running.name} said:\n{output}", file=sys.stderr)
    return 1


def run(options):
    """Builds, packs and boots the demo or another system."""
    attached = {"disks": disks.checked(options.disk, options.ahci_disk),
                "wire": network.parse(options.network, options.forward)}
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    if options.iso:
        iso = options.iso.absolute()
        if not iso.is_file():
            raise Failure(f"{options.iso}: there is no such ISO")
    else:
        iso = make(options.system, None, options)
    pace = "instructions" if options.steps else "people"
    with emulator.start(iso, options.emulator, pace, **attached) as running:
        hint = "; Ctrl-A h shows the keys" if os.isatty(0) and not options.steps else ""
        step(f"booting {places.shown(iso)} in {running.name}{hint}")
        return run_session(running, options)


def make(system, output, options):
    """The ISO of the demo, or of the description given."""
    if system is None:
        return product.make_iso(places.DEMO, output or places.DEMO_ISO, options.flavour,
                                options.arguments)
    target = output or places.BUILD / f"{system.stem}.iso"
    return product.make_iso(system.absolute(), target, options.flavour, options.arguments)


def make_iso(options):
    """`build` and `iso`: makes an ISO and tells where it is."""
    output = options.output.absolute() if options.output else None
    print(places.shown(make(options.system, output, options)))
    return 0


def boot(options):
    """Boots the kernel with one program as the initial task, straight from the build."""
    packages.ensure(packages.BUILD, packages.EMULATE)
    build.compile_all()
    program = pathlib.Path(options.program)
    if not program.is_file():
        raise Failure(f"{program}: there is no such program")
    kernel = build.artefact(f"kernel-{options.flavour}.elf32")
    with machine.QemuMachine(kernel=kernel, modules=(program.absolute(),),
                             arguments=options.arguments, memory=emulator.MEMORY,
                             clock=options.clock) as running:
        step(f"booting {program} on {kernel.name} in QEMU")
        return run_session(running, options)
