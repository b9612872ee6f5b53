# SPDX-License-Identifier: BSD-2-Clause
"""The subcommands but for `test` and `bench`: run, build, iso, boot."""

import os
import pathlib
import sys

from nacre import build, packages, places
from nacre.machine import disks, emulator, machine, network
from nacre.pack import boot_images, iso, product, system_image
from nacre.report import Failure, Misuse, step
from nacre.terminal import console

UNTIL_SECONDS = 900


def limit(options):
    """Seconds of the machine's time that a script may take; a person ends a machine by hand."""
    return UNTIL_SECONDS if options.steps else None


def run_session(machine_running, options):
    """Joins the machine with the terminal; the exit status says whether it went as asked."""
    session = console.Session(machine_running, options.steps, options.timeout)
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


def machine_disks(options):
    """The disks of the command line, and the images that guests boot from where it names none."""
    given = {name: getattr(options, disks.destination(name)) for name in disks.KINDS}
    if not options.iso:
        images = boot_images.machine_disks(options.system or places.DEMO)
        for name in [name for name in images if given[name] is None]:
            given[name] = images[name]
            step(f"the {name} disk is {places.shown(images[name])}, which is written to")
    return disks.checked(**given)


def card(options):
    """The network card that the command line names, or that the description has a driver for."""
    if options.card or options.iso:
        return options.card or network.USUAL_CARD
    return product.card(options.system or places.DEMO) or network.USUAL_CARD


def wire(options):
    """The network of the command line. A guest is not started without a card that it drives itself,
    so that one is there unless the command line says otherwise."""
    has_own = not options.iso and product.has_passed_card(options.system or places.DEMO)
    return network.parse(options.network or ("user" if has_own else "none"), options.forward,
                         card(options))


def iommu(options):
    """Whose IOMMU the command line names; Intel's where a guest needs one and QEMU may be taken."""
    is_needed = not options.iso and product.passes_devices(options.system or places.DEMO)
    if options.iommu or options.emulator == "bochs" or not is_needed:
        return options.iommu
    step("a guest drives a device itself: the machine has an IOMMU")
    return "intel"


def run(options):
    """Builds, packs and boots the demo or another system."""
    attached = {"disks": machine_disks(options),
                "wire": wire(options)}
    if options.iso and (options.system or options.arguments or options.flavour != "debug"):
        raise Misuse("--iso boots an ISO as it is: leave out FILE.system, --arguments, "
                     "--release")
    if options.iso:
        iso.check(options.iso)
        has_guests, cores = None, 1
    else:
        system_image.check_description(options.system or places.DEMO)
        has_guests = product.has_guests(options.system or places.DEMO)
        cores = product.cores(options.system or places.DEMO)
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    options.iommu = iommu(options)
    request = emulator.wanted(options, has_guests, cores)
    choice = emulator.chosen(request, attached["disks"], attached["wire"])
    image = options.iso.absolute() if options.iso else make(options.system, None, options)
    pace = "instructions" if options.steps else "people"
    with emulator.start(image, choice, request, pace, limit=limit(options), **attached) as running:
        hint = "; Ctrl-A h shows the keys" if os.isatty(0) and not options.steps else ""
        step(f"booting {places.shown(image)} in {running.name}{hint}")
        return run_session(running, options)


def make(system, output, options, memory_test=False, keys=None, self_test=False):
    """The ISO of the demo, or of the description given."""
    target = places.BUILD / f"{system.stem}.iso" if system else places.DEMO_ISO
    return product.make_iso(system.absolute() if system else places.DEMO, output or target,
                            options.flavour, options.arguments, memory_test, keys,
                            self_test)


def make_iso(options):
    """`build` and `iso`: makes an ISO and prints where it is."""
    output = options.output.absolute() if options.output else None
    if options.board:
        product.check_board((options.system or places.DEMO).absolute(), options.board.absolute(),
                            options.flavour)
    if options.expand:
        if options.memory_test or options.sign or options.self_test:
            raise Misuse("--expand makes no ISO: --memory-test, --self-test and --sign do not go "
                         "with it")
        system_image.expand((options.system or places.DEMO).absolute(), output)
        return 0
    print(places.shown(make(options.system, output, options, options.memory_test, options.sign,
                            options.self_test)))
    return 0


def boot(options):
    """Boots the kernel with one program as the initial task, straight from the build."""
    program = pathlib.Path(options.program)
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    request = emulator.wanted(options, None)
    emulator.check(options.emulator, request)
    emulator.choose_for_program(request)
    build.compile_all()
    # It may be one that the build makes.
    if not program.is_file():
        raise Failure(f"{program}: there is no such program")
    with start_program(program.absolute(), request, options) as running:
        step(f"booting {program} on the {options.flavour} kernel in {running.name}")
        return run_session(running, options)


def start_program(program, request, options):
    """QEMU takes the kernel and the program as they are, Bochs an ISO of them."""
    settings = {"memory": request.memory, "cores": request.cores, "limit": limit(options)}
    cpu = emulator.model(options.emulator, "tcg", options.cpu)
    if cpu:
        settings["cpu"] = cpu
    if options.emulator == "qemu":
        return machine.QemuMachine(
            kernel=build.artefact(f"kernel-{options.flavour}.elf32"), modules=(program,),
            arguments=options.arguments, clock=options.clock, **emulator.of_qemu(request),
            **settings)
    target = places.BUILD / "boot.iso"
    iso.pack_nacre(target, build.artefact(f"kernel-{options.flavour}.elf"),
                   {"root.elf": program}, options.arguments)
    sync = "slowdown" if options.clock == "wall" and not options.steps else "none"
    return machine.BochsMachine(iso=target, sync=sync, **settings)
