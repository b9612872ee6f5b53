# SPDX-License-Identifier: BSD-2-Clause
"""The processors that the emulators can be, as they list them themselves."""

import difflib
import re
import subprocess

from nacre.machine import bochs, qemu
from nacre.report import Failure, Misuse

COMMANDS = {"qemu": (qemu.PROGRAM, "-cpu", "help"), "bochs": (bochs.PROGRAM, "-help", "cpu")}
FLAGS = "Recognized CPUID flags:"
# `+name`, `-name`, `name=value`
FEATURE = re.compile(r"[+-]?([\w.-]+)(=.*)?")


def listed(emulator):
    """What the emulator prints; a machine without it gets a clear line later."""
    try:
        return subprocess.run(COMMANDS[emulator], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False).stdout
    except FileNotFoundError as error:
        raise Misuse(f"{COMMANDS[emulator][0]} is not installed: `./nacre run` installs it") \
            from error


def models_of_qemu(text):
    """(models, CPUID flags)"""
    models, _, flags = text.partition(FLAGS)
    return re.findall(r"^x86 ([\w.-]+)", models, re.MULTILINE), flags.split()


def models_of_bochs(text):
    return re.findall(r"^(\w+)$", text.partition("Supported CPU models:")[2], re.MULTILINE)


# Makers of CPUs, which --cpu takes for a model, with their virtualisation.
ENGINES = {"intel": "VT-x", "amd": "AMD-V"}
# Bochs has AMD's CPUs by name only, on which guests do not run.
MAKERS = {"qemu": tuple(ENGINES), "bochs": ("intel",)}


def similar(name, names):
    near = difflib.get_close_matches(name, names)
    return f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(names)}"


def is_of_bochs_alone(cpu):
    """Whether Bochs knows the model and QEMU does not."""
    return bool(cpu) and cpu in models_of_bochs(listed("bochs")) \
        and cpu not in models_of_qemu(listed("qemu"))[0]


def check(emulator, cpu):
    """Names what the emulator does not know of `MODEL` or, with QEMU, `MODEL,-FLAG,FLAG=VALUE`."""
    text = listed(emulator)
    model, *features = cpu.split(",")
    if emulator == "bochs":
        known, title = models_of_bochs(text), "Bochs"
        if features:
            raise Failure(f"--cpu {cpu}: Bochs takes a model alone, without features")
    else:
        (known, flags), title = models_of_qemu(text), "QEMU"
    if known and model not in known:
        raise Failure(f"--cpu {model}: {title} has no such model; "
                      f"{similar(model, [*MAKERS[emulator], *known])}")
    for feature in features:
        match = FEATURE.fullmatch(feature)
        if not match or match.group(2) is None and match.group(1) not in flags:
            raise Failure(f"--cpu {cpu}: QEMU knows no flag {feature!r}; write -NAME or +NAME; "
                          f"{similar(feature.lstrip('+-'), flags)}")
