#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turns a system description (.system) and its programs into the image the initial task
starts."""
import sys

from compose.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
