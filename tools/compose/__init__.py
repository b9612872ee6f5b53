# SPDX-License-Identifier: BSD-2-Clause
"""The system composer: tree (XML with positions) -> reader (model) -> checks -> programs -> image.

Open cli.py first: compose() is these steps in order.
"""
