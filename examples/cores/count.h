// SPDX-License-Identifier: BSD-2-Clause
// What a client shows of itself: a page that it alone writes.
#pragma once

#include <stdint.h>

struct count {
	uint64_t calls; // answered rightly
	uint64_t apic_id; // of the core that the client found itself on
	uint64_t wrong; // answers
};
