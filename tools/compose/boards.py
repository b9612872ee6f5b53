# SPDX-License-Identifier: BSD-2-Clause
"""What a board and a configuration of the Microkit tool mean for Nacre, which has one kernel
for all PCs: which elements a description may use, and which kernel build goes along."""
from dataclasses import dataclass, replace

from compose.layout import LIMITS

CORES = LIMITS.MAX_CORE + 1
SMP_CORES = 16  # of the Microkit tool


@dataclass(frozen=True)
class Board:
    name: str
    guests: bool  # virtual machines may be described
    io_spaces: bool = True


@dataclass(frozen=True)
class Config:
    name: str
    flavour: str  # of the kernel: debug, which alone prints, release or benchmark
    own_thread: bool = False  # each protection domain holds its own TCB
    cores: int = CORES  # that a description may name
    time_domains: bool = True


BOARDS = {board.name: board for board in (
    Board("x86_64_generic", guests=False),
    Board("x86_64_generic_vtx", guests=True),
)}
_PLAIN = (
    Config("debug", "debug"),
    Config("release", "release"),
    Config("benchmark", "benchmark", own_thread=True),
)
# The kernel is the same in all of them, and uses all cores.
CONFIGS = {config.name: config for config in (
    *_PLAIN,
    *(replace(config, name=f"smp-{config.name}", cores=SMP_CORES, time_domains=False)
      for config in _PLAIN),
)}
DEFAULT_BOARD = BOARDS["x86_64_generic_vtx"]
DEFAULT_CONFIG = CONFIGS["debug"]
