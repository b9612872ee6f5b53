// SPDX-License-Identifier: BSD-2-Clause
// The state that the cores of one kernel image share. With the image's struct cpu, one a core, it
// is all that the kernel changes outside of objects: another core, another image or a host test
// with several cores is another instance (ci/check_state.py).
//
// Each room keeps its own part: struct platform is the machine's, and this room's structures
// follow.
#pragma once

#include <cpu/platform.h>
#include <ipc/irq.h>
#include <memory/space.h>

// The domain schedule (SCHED-26), written by the domain invocations only.
#define DOMAIN_DURATION_MAX ((1ul << 56) - 1)

struct domain_schedule {
	uint64_t durations[DOMAIN_SCHEDULE_SLOTS]; // ticks; 0: end marker
	uint64_t start;
};

struct kernel {
	struct platform platform;
	struct irq_table irqs;
	struct domain_schedule domains;
	struct asid_table asids;
};
