# SPDX-License-Identifier: BSD-2-Clause
"""Disk images of guests: their partitions, what is in their /boot, and one of Debian.

Open debian.py first: `./nacre guest debian` is its run().
"""
