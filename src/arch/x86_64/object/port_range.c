// SPDX-License-Identifier: BSD-2-Clause
// Ranges of I/O ports: each port is in at most one range, and a range is used through the kernel
// or, by a VCPU, from a guest.
#include <object/vcpu.h>

#include <cap/invocation.h>
#include <cpu/platform.h>

enum error port_control_issue(struct invocation *invocation) {
	uint16_t first = (uint16_t)invocation_word(invocation, 0);
	uint16_t last = (uint16_t)invocation_word(invocation, 1);
	uint8_t *taken = this_cpu()->platform->port_taken;
	struct slot *destination;
	struct cap cap;
	enum error error;

	if (last < first) return error_argument(invocation, 1);
	for (unsigned port = first; port <= last; port++) {
		if (taken[port]) return ERROR_REVOKE_FIRST;
	}
	error = invocation_empty_slot(invocation, &invocation->caps[0]->cap, 2, &destination);
	if (error) return error;

	cap = cap_make(CAP_PORT_RANGE, taken + first);
	cap.port.first = first;
	cap.port.last = last;
	memset(cap_object(&cap), 1, last - first + 1u);
	derive_insert_original(destination, cap, invocation->slot);
	return ERROR_NONE;
}

// A copy has not enabled the range in a VCPU, so its deletion withdraws nothing.
enum error port_range_derive(const struct slot *, struct cap *cap) {
	cap->port.vcpu = 0;
	return ERROR_NONE;
}

void port_range_destroy(struct slot *slot, bool last) {
	const struct cap *range = &slot->cap;

	vcpu_withdraw_ports(&slot->cap);
	if (last) memset(cap_object(range), 0, range->port.last - range->port.first + 1u);
}

static uint16_t port_of(const struct invocation *invocation) {
	return (uint16_t)invocation_word(invocation, 0);
}

// Whether the range covers all of an access of width bytes.
static bool covers(const struct invocation *invocation, unsigned width) {
	const struct cap *range = &invocation->slot->cap;
	uint16_t port = port_of(invocation);

	return port >= range->port.first && port + width - 1 <= range->port.last;
}

#define PORT_ACCESS(bits) \
	enum error port_range_in##bits(struct invocation *invocation) { \
		if (!covers(invocation, bits / 8)) return ERROR_ILLEGAL_OPERATION; \
		return invocation_return(invocation, io_in##bits(port_of(invocation))); \
	} \
	enum error port_range_out##bits(struct invocation *invocation) { \
		if (!covers(invocation, bits / 8)) return ERROR_ILLEGAL_OPERATION; \
		io_out##bits(port_of(invocation), (uint##bits##_t)invocation_word(invocation, 1)); \
		return ERROR_NONE; \
	}

PORT_ACCESS(8)
PORT_ACCESS(16)
PORT_ACCESS(32)
