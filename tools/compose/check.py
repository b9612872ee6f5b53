# SPDX-License-Identifier: BSD-2-Clause
"""What one element alone cannot show: the rules of a whole, resolved system. The checks report and
change nothing."""
from compose import check_cores, check_devices, check_domains, check_memory, check_names, check_time

# What follows from a problem of an earlier step is none.
STEPS = (
    (check_names.check,),
    (check_memory.check_regions,),
    (check_memory.check_mappings,),
    (check_devices.check, check_domains.check, check_time.check),
    (check_cores.check,),
)


def check(system, problems):
    for step in STEPS:
        for part in step:
            part(system, problems)
        problems.end_step()
