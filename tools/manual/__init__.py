# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/reference/kernel, from the headers and descriptions that the code uses.

Open pages.py first: it has a function for each table; sources.py reads what they show.
"""
