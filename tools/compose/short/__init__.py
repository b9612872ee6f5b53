# SPDX-License-Identifier: BSD-2-Clause
"""Short elements of a description into the long-hand ones that they mean: tree -> tree.

Open expand.py first: expand() is all of it; each kind of element has a file.
"""
