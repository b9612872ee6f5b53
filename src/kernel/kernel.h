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

// The domain schedule (SCHED-27), written by thread/domain.c only.
#define DOMAIN_DURATION_MAX ((1ul << 56) - 1)

struct domain_schedule {
	struct domain_slot {
		uint64_t domain, duration; // ticks; 0: end marker
	} slots[DOMAIN_SCHEDULE_SLOTS];
	uint64_t start; // slot
	uint64_t present, end; // the slot in which all cores are, and until when
	uint64_t last; // domain; 0: it is the only one, and no slot has an effect
};

struct kernel {
	struct platform platform;
	struct irq_table irqs;
	struct domain_schedule domains;
	struct asid_table asids;
};
