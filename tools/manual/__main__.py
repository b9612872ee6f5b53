# SPDX-License-Identifier: BSD-2-Clause
"""Writes the generated tables of docs/reference/kernel anew: python3 tools/manual"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from manual import pages  # noqa: E402

for path, text in pages.outdated():
    path.write_text(text)
    print(path.relative_to(pages.ROOT))
