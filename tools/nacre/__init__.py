# SPDX-License-Identifier: BSD-2-Clause
"""The host side of Nacre: builds it, packs it, runs it in an emulator and tests it."""
