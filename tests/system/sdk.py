# SPDX-License-Identifier: BSD-2-Clause
"""The SDK: examples built by their Makefiles, in each configuration, and booted in QEMU."""

import functools
import subprocess
import threading

from compose import boards
from nacre import places
from nacre.machine import emulator, machine
from nacre.pack import sdk
from nacre.test import results
from nacre.test.system_tests import judge

FOLDER = places.BUILD / "system-tests" / "sdk with blanks"
_making = threading.Lock()

# What Makefiles and scripts find in each configuration's folder for programs.
PROGRAMS = ("sel4.elf", "sel4_32.elf", "initialiser.elf", "monitor.elf")
# Board, configuration, example and the texts its boot must show.
CASES = [
    ("x86_64_generic", "debug", "hello", ["hello, world"]),
    ("x86_64_generic_vtx", "debug", "mr_prefill", ["prefilled data OK!"]),
    ("x86_64_generic", "debug", "hierarchy", ["too many restarts - PD stopped", "hello, world"]),
    ("x86_64_generic", "debug", "timer", ["sleeper: done"]),
    ("x86_64_generic", "debug", "ring", ["consumer: all arrived"]),
    ("x86_64_generic", "debug", "network_echo", ["pinger: all answered"]),
    ("x86_64_generic_vtx", "debug", "linux_guest",
     ["no VT-x or AMD-V on this CPU (its virtual machine 'linux' does not run)", "[client] "]),
    ("x86_64_generic", "smp-debug", "passive_server", ["running on clients"]),
    ("x86_64_generic", "release", "x86_64_ioport", ["hello!"]),
    ("x86_64_generic", "smp-release", "x86_64_ioport", ["hello!"]),
    ("x86_64_generic_vtx", "benchmark", "x86_64_ioport", ["hello!"]),
]


@functools.cache
def _made():
    sdk.make(FOLDER)
    return FOLDER


def build_by_make(board, config, example):
    """Runs the example's Makefile; None when it went well, else its output."""
    with _making:
        folder = _made()
    target = FOLDER.parent / f"sdk-{board}-{config}-{example}"
    result = subprocess.run(
        ["make", "-C", folder / "example" / example, f"MICROKIT_SDK={folder}",
         f"MICROKIT_BOARD={board}", f"MICROKIT_CONFIG={config}", f"BUILD_DIR={target}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return target, None if result.returncode == 0 else result.stdout[-600:]


def check(board, config, example, texts):
    target, problem = build_by_make(board, config, example)
    name = f"sdk-{board}-{config}-{example}"
    if problem:
        return [results.failed(f"system/{name}", problem)]
    running = machine.QemuMachine(kernel=target / "sel4_32.elf", modules=(target / "loader.img",),
                                  memory=emulator.MEMORY, clock="emulated")
    return judge(name, running, [("until", text) for text in texts])[0]


def check_layout():
    with _making:
        folder = _made()
    missing = [f"{board.name}/{config.name}/elf/{name}"
               for board in boards.BOARDS.values() for config in boards.CONFIGS.values()
               for name in PROGRAMS
               if not (folder / "board" / board.name / config.name / "elf" / name).is_file()]
    name = "system/sdk-layout"
    return [results.failed(name, f"not there: {missing}") if missing else results.passed(name)]


ROWS = [("sdk-layout", "each board and configuration of the SDK has its programs", check_layout)]
ROWS += [(f"sdk-{board}-{config}-{example}",
         f"the SDK's Makefile builds {example} for {board} {config}, and it runs",
         lambda case=(board, config, example, texts): check(*case))
        for board, config, example, texts in CASES]
