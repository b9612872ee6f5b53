# SPDX-License-Identifier: BSD-2-Clause
"""The host side of Nacre: builds it, packs it, runs it in an emulator and tests it.

Open cli.py first: each subcommand names the function that carries it out. `build` fills the build
directory; `pack` makes ISOs of it, `machine` and `terminal` run them, `test` and `bench` judge.
"""
