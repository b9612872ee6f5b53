# SPDX-License-Identifier: BSD-2-Clause
"""A guest's power fails twice; `./nacre test guest-power` does it a hundred times and more."""

from nacre.test import guest_power

ROWS = [("guest-power", "what a guest's ext4 has synced is there after the power failed, and a "
         "disk that ignores flushes is noticed", guest_power.run_short)]
