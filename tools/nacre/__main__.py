# SPDX-License-Identifier: BSD-2-Clause
"""Entry point: the script `nacre` at the root of the repository runs this package."""

import os
import sys

from nacre.cli import main

# These led Python here; the programs that are started next, some of them Python, need neither.
for variable in ("PYTHONPATH", "PYTHONSAFEPATH"):
    os.environ.pop(variable, None)
sys.exit(main(sys.argv[1:]))
