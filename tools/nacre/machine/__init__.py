# SPDX-License-Identifier: BSD-2-Clause
"""Emulated machines: what each emulator is given, and the machine that runs.

Open emulator.py first: it chooses the emulator and starts it; machine.py is the running one.
"""
