# SPDX-License-Identifier: BSD-2-Clause
"""What a board and a configuration of the Microkit tool mean for Nacre, which has one kernel
for all PCs: which elements a description may use, and which kernel build goes along."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Board:
    name: str
    guests: bool  # virtual machines may be described
    io_spaces: bool = True
    cores: int = 1


@dataclass(frozen=True)
class Config:
    name: str
    flavour: str  # of the kernel; only the debug one prints
    own_thread: bool = False  # each protection domain holds its own TCB


BOARDS = {board.name: board for board in (
    Board("x86_64_generic", guests=False),
    Board("x86_64_generic_vtx", guests=True),
)}
CONFIGS = {config.name: config for config in (
    Config("debug", "debug"),
    Config("release", "release"),
    Config("benchmark", "release", own_thread=True),
)}
DEFAULT_BOARD = BOARDS["x86_64_generic_vtx"]
DEFAULT_CONFIG = CONFIGS["debug"]
