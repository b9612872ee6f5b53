# SPDX-License-Identifier: BSD-2-Clause
"""The include folder of the SDK: our headers, the paths under which others include them, the
descriptions of the interface for other languages, and the configuration."""

import json
import re
import shutil
import subprocess
import sys

from nacre import places

SOURCE = places.ROOT / "include"
# Folders of headers, and what else in them is for users.
FOLDERS = {"abi": "*.h", "sel4": "*.h", "x86": "instructions.h", "interfaces": "*.xml",
           "api": "*.xml"}
ONE = "sel4/sel4.h"
# Paths that users of libsel4 include, and the header that has what they look for there.
ALIASES = {
    **{f"sel4/{name}.h": ONE for name in (
        "bootinfo", "debug_assert", "deprecated", "shared_types", "shared_types_gen",
        "simple_types", "syscall", "syscalls_master", "syscalls_mcs")},
    **{f"sel4/arch/{name}.h": ONE for name in (
        "bootinfo", "bootinfo_types", "constants", "deprecated", "faults", "functions",
        "invocation", "mapping", "objecttype", "pfIPC", "simple_types", "syscalls", "types",
        "vmenter")},
    **{f"sel4/sel4_arch/{name}.h": ONE for name in (
        "constants", "deprecated", "faults", "functions", "invocation", "mapping", "objecttype",
        "simple_types", "syscalls", "syscalls_syscall", "types", "types_gen")},
    **{f"sel4/mode/{name}.h": ONE for name in ("constants", "types")},
    "sel4/plat/api/constants.h": "sel4/constants.h",
    "sel4/gen_config.h": "kernel/gen_config.h",
    "autoconf.h": "kernel/gen_config.h",
    **{f"sel4/benchmark_{name}_types.h": "sel4/benchmark.h" for name in (
        "track", "tracepoints", "utilisation")},
}
CONFIG = "kernel/gen_config.h"
DEFINITION = re.compile(r"^#define (\w+)  (\S+)$", re.MULTILINE)
DISABLED = re.compile(r"^/\* disabled: (\w+) \*/$", re.MULTILINE)
# What a kernel that does not print, a board without VT-x, and a configuration without benchmarks
# do not define.
PRINTING = {"CONFIG_PRINTING", "CONFIG_DEBUG_BUILD"}
GUESTS = {"CONFIG_VTX", "CONFIG_X86_64_VTX_64BIT_GUESTS"}
BENCHMARKS = {"CONFIG_ENABLE_BENCHMARKS", "CONFIG_BENCHMARK_TRACK_UTILISATION"}
# Whose value is a number even where it is 1.
NUMBERS = {"CONFIG_MAX_NUM_NODES", "CONFIG_NUM_DOMAINS"}


def left_out(board, config):
    """Names that a board and a configuration do not define."""
    names = set() if board.guests else set(GUESTS)
    if config.flavour != "debug":
        names |= PRINTING
    if not config.name.endswith("benchmark"):
        names |= BENCHMARKS
    return names


def header(board, config):
    text = (SOURCE / CONFIG).read_text()
    for name in left_out(board, config):
        text = re.sub(rf"^#define {name}  .*$", f"/* disabled: {name} */", text,
                      flags=re.MULTILINE)
    return text


def values(text):
    """What gen_config.json says: names without CONFIG_; choices are true or false, all else is
    text."""
    found = {name: True if value == "1" and name not in NUMBERS else value
             for name, value in DEFINITION.findall(text)}
    found |= dict.fromkeys(DISABLED.findall(text), False)
    return {name.removeprefix("CONFIG_"): value for name, value in found.items()}


def write_config(folder, board, config):
    text = header(board, config)
    place = folder / CONFIG
    place.parent.mkdir()
    place.write_text(text)
    for path in (place, folder / "sel4" / "gen_config.h"):
        path.with_suffix(".json").write_text(
            json.dumps(values(text), indent=1, sort_keys=True) + "\n")


def write_alias(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"// SPDX-License-Identifier: BSD-2-Clause\n"
                    f"// A path that users of libsel4 know.\n#pragma once\n\n"
                    f"#include <{target}>\n")


def write(folder, board, config):
    folder.mkdir(parents=True, exist_ok=True)
    for name, pattern in FOLDERS.items():
        (folder / name).mkdir()
        for path in sorted((SOURCE / name).glob(pattern)):
            shutil.copy(path, folder / name)
    subprocess.run([sys.executable, SOURCE / "interfaces" / "generate.py",
                    folder / "interfaces" / "sel4_client.h"], check=True)
    shutil.copy(SOURCE / "microkit.h", folder)
    # What components share, and the protocols that they speak.
    shutil.copytree(SOURCE / "nacre", folder / "nacre")
    for path, target in ALIASES.items():
        write_alias(folder / path, target)
    write_config(folder, board, config)
