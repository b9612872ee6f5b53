// SPDX-License-Identifier: BSD-2-Clause
// The domain schedule (SCHED-26).
#pragma once

#include <abi/object.h>
#include <stdint.h>

// Written by the domain invocations only.
struct domain_schedule {
	uint64_t durations[DOMAIN_SCHEDULE_SLOTS]; // ticks; 0: end marker
	uint64_t start;
};

// One entry without end.
void domain_schedule_init(struct domain_schedule *schedule);
