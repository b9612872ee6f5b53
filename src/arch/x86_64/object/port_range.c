// SPDX-License-Identifier: BSD-2-Clause
// Ranges of I/O ports: each port is in at most one range, and a range is used through the kernel
// or, by a VCPU, from a guest.
#include <object/port_range.h>
#include <base/memory.h>
#include <cpu/registers.h>
#include <kernel/derive.h>
#include <kernel/invocation.h>
#include <object/vcpu.h>

enum {
	PORTS = 1 << 16,
	PORT_MASK = PORTS - 1,
};

// 1: the port is in a range. The first port's byte is the object of a range's capabilities. Written
// by port_control_issue and port_range_destroy only.
static uint8_t port_taken[PORTS];

static bool port_any_taken(uint64_t first, uint64_t last)
{
	for (uint64_t port = first; port <= last; port++) {
		if (port_taken[port])
			return true;
	}
	return false;
}

enum error port_control_issue(struct invocation *invocation)
{
	uint64_t first = invocation_word(invocation, 0) & PORT_MASK;
	uint64_t last = invocation_word(invocation, 1) & PORT_MASK;
	uint64_t index = invocation_word(invocation, 2);
	uint64_t depth = invocation_word(invocation, 3) & 0xff;
	struct slot *destination;
	struct cap cap;
	enum error error;

	if (last < first)
		return error_argument(invocation, 1);
	if (port_any_taken(first, last))
		return ERROR_REVOKE_FIRST;
	error = invocation_empty_slot(
		invocation, &invocation->caps[0]->cap, index, depth, &destination);
	if (error)
		return error;

	memset(port_taken + first, 1, last - first + 1);
	cap = cap_make(CAP_PORT_RANGE, port_taken + first);
	cap.port.first = first & PORT_MASK;
	cap.port.last = last & PORT_MASK;
	derive_insert_original(destination, cap, invocation->slot);
	return ERROR_NONE;
}

// A copy has not enabled the range in a VCPU, so its end withdraws nothing.
enum error port_range_derive(const struct slot *, struct cap *cap)
{
	cap->port.vcpu = 0;
	return ERROR_NONE;
}

void port_range_destroy(struct slot *slot, bool last)
{
	unsigned first_port = slot->cap.port.first;
	unsigned last_port = slot->cap.port.last;

	vcpu_withdraw_ports(&slot->cap);
	if (!last)
		return;
	memset(port_taken + first_port, 0, last_port - first_port + 1);
}

// The port of an access of width bytes; false if the range does not cover it all.
static bool port_range_covers(const struct invocation *invocation, unsigned width, uint16_t *port)
{
	const struct cap *range = &invocation->slot->cap;
	unsigned first = invocation_word(invocation, 0) & PORT_MASK;

	*port = (uint16_t)first;
	return first >= range->port.first && first + width - 1 <= range->port.last;
}

enum error port_range_in8(struct invocation *invocation)
{
	uint16_t port;

	if (!port_range_covers(invocation, 1, &port))
		return ERROR_ILLEGAL_OPERATION;
	return invocation_return(invocation, io_in8(port));
}

enum error port_range_in16(struct invocation *invocation)
{
	uint16_t port;

	if (!port_range_covers(invocation, 2, &port))
		return ERROR_ILLEGAL_OPERATION;
	return invocation_return(invocation, io_in16(port));
}

enum error port_range_in32(struct invocation *invocation)
{
	uint16_t port;

	if (!port_range_covers(invocation, 4, &port))
		return ERROR_ILLEGAL_OPERATION;
	return invocation_return(invocation, io_in32(port));
}

enum error port_range_out8(struct invocation *invocation)
{
	uint16_t port;

	if (!port_range_covers(invocation, 1, &port))
		return ERROR_ILLEGAL_OPERATION;
	io_out8(port, (uint8_t)invocation_word(invocation, 1));
	return ERROR_NONE;
}

enum error port_range_out16(struct invocation *invocation)
{
	uint16_t port;

	if (!port_range_covers(invocation, 2, &port))
		return ERROR_ILLEGAL_OPERATION;
	io_out16(port, (uint16_t)invocation_word(invocation, 1));
	return ERROR_NONE;
}

enum error port_range_out32(struct invocation *invocation)
{
	uint16_t port;

	if (!port_range_covers(invocation, 4, &port))
		return ERROR_ILLEGAL_OPERATION;
	io_out32(port, (uint32_t)invocation_word(invocation, 1));
	return ERROR_NONE;
}
