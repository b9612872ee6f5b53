# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre bench`: measurements, their marks, and the comparison with recorded ones.

Open questions.py first: each file of the folder bench/ at the root answers one question.
"""
