# SPDX-License-Identifier: BSD-2-Clause
"""COM1 of a machine and the person's terminal, or a script in its place.

Open console.py first: a session joins the two.
"""
