// SPDX-License-Identifier: BSD-2-Clause
// Breakpoints on data and ports.
#include <vmm/vcpu/breakpoint.h>

enum {
	BREAKPOINTS = 4,
	CONDITION_WRITE = 1,
	CONDITION_PORT = 2,
	CONDITION_DATA = 3,
	DR7_ENABLED = 0xff
};

static bool condition_met(unsigned condition, enum breakpoint_access access) {
	if (access == BREAKPOINT_PORT) return condition == CONDITION_PORT;
	return condition == CONDITION_DATA ||
		(access == BREAKPOINT_WRITE && condition == CONDITION_WRITE);
}

static bool breakpoint_hit(uint64_t start, unsigned length, uint64_t address, unsigned width) {
	uint64_t first = start & ~((uint64_t)length - 1);

	return address <= first + (length - 1) && first <= address + (width - 1);
}

uint64_t breakpoint_hits(
	const struct vcpu *vcpu, enum breakpoint_access access, uint64_t address, unsigned width) {
	static const uint8_t lengths[] = {1, 2, 8, 4};
	uint64_t control = vcpu_view(vcpu, VCPU_GROUP_DEBUG_CONTROL)->dr7;
	uint64_t hits = 0;

	for (unsigned i = 0; i < BREAKPOINTS && (control & DR7_ENABLED); i++) {
		unsigned setting = control >> (16 + 4 * i) & 0xf;
		bool enabled = control >> 2 * i & 3;
		uint64_t start;

		if (!enabled || !condition_met(setting & 3, access)) continue;
		start = vcpu_view(vcpu, VCPU_GROUP_BREAKPOINTS)->dr[i];
		if (breakpoint_hit(start, lengths[setting >> 2], address, width))
			hits |= 1u << i | PENDING_DEBUG_ENABLED;
	}
	return hits;
}
