// SPDX-License-Identifier: BSD-2-Clause
// The domain schedule (SCHED-26).
#pragma once

#include <abi/object.h>
#include <stdint.h>

// Written by the domain invocations only.
#define DOMAIN_DURATION_MAX ((1ul << 56) - 1)

struct domain_schedule {
	uint64_t durations[DOMAIN_SCHEDULE_SLOTS]; // ticks; 0: end marker
	uint64_t start;
};
