# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the host tools; one runs as a file or by `python3 -m unittest tests.tools.test_X`."""

import pathlib
import sys

# The tests' own helpers, which a file that runs by itself finds beside it.
sys.path.insert(0, str(pathlib.Path(__file__).parent))
