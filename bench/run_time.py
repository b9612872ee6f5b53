# SPDX-License-Identifier: BSD-2-Clause
"""How long does `./nacre run` take until the guest's prompt is there, on a tree that is built?

In QEMU, which emulates AMD-V, and in Bochs, which emulates VT-x, at the same time, so that both
meet the same load of this host. These are seconds of its clock, comparable with each other only.
"""

import subprocess
import time

from nacre import packages, places
from nacre.pack import product
from nacre.report import Failure, step

EMULATORS = ("qemu", "bochs")
PROMPT = "nacre-guest#"
LIMIT = 1 / 3
LOOK_SECONDS = 0.1


def log(name):
    return places.LOGS / f"bench-run-time-{name}.log"


def start(name):
    places.LOGS.mkdir(parents=True, exist_ok=True)
    command = [places.ROOT / "nacre", "run", "--emulator", name, "--until", PROMPT]
    with log(name).open("wb") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT)


def seconds_of(names):
    """How long each run took that began now."""
    began = time.monotonic()
    running = {name: start(name) for name in names}
    seconds = {}
    try:
        while len(seconds) < len(running):
            time.sleep(LOOK_SECONDS)
            for name in running.keys() - seconds.keys():
                if running[name].poll() is not None:
                    seconds[name] = time.monotonic() - began
    finally:
        for process in running.values():
            process.terminate()
            process.wait()
    for name, process in running.items():
        if process.returncode:
            raise Failure(f"`./nacre run --emulator {name}` ended with status "
                          f"{process.returncode} ({places.shown(log(name))})")
    return seconds


def measure(options):
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    product.make_iso(places.DEMO, places.DEMO_ISO)
    names = [options.emulator] if options.emulator else EMULATORS
    step(f"`./nacre run --until '{PROMPT}'` in {' and '.join(names)}")
    seconds = seconds_of(names)
    figure = {"unit": "seconds", **{name: round(seconds[name], 1) for name in names}}
    words = ", ".join(f"{name} {seconds[name]:.1f} s" for name in names)
    if len(names) == 2:
        ratio = seconds["qemu"] / seconds["bochs"]
        figure |= {"ratio": round(ratio, 3), "limit": round(LIMIT, 3)}
        words += f": ratio {ratio:.3f} (limit {LIMIT:.3f}){' *' if ratio > LIMIT else ''}"
    return [figure], f"run to the guest's prompt: {words}"
