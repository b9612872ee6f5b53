# SPDX-License-Identifier: BSD-2-Clause
"""What is made of the build: images, ISOs, guests' files, the SDK.

Open product.py first: a description becomes an ISO in make_iso().
"""
