# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre test` and `./nacre fuzz`: the suites and how each runs.

Open suite.py first: all_tests() is the list.
"""
