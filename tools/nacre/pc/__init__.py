# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre check-pc`: what of this PC Nacre will use, as Linux shows it.

Open check.py first: what is judged; linux.py reads it.
"""
