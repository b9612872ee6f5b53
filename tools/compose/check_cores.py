# SPDX-License-Identifier: BSD-2-Clause
"""Whether the budgets of a core's protection domains fit into its time."""
from compose import sizes


def check(system, problems):
    for core in system.cores():
        total = 0
        for domain in system.on_core(core):
            total += domain.share() or 0
            if total > 1:
                problems.warn(domain.element, f"with '{domain.name}' the budgets on core {core} "
                                              f"add up to {sizes.percent(total)} of its time")
                break
