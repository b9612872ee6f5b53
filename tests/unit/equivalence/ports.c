// SPDX-License-Identifier: BSD-2-Clause
// No port ranges: the kernel's table of 65536 ports would be most of what is copied.
#include <cap/invocation.h>
#include <cap/object.h>
#include <object/vcpu.h>

#define NO_HANDLER(name) \
	enum error name(struct invocation *) { return ERROR_ILLEGAL_OPERATION; }

NO_HANDLER(port_control_issue)
NO_HANDLER(port_range_in8)
NO_HANDLER(port_range_in16)
NO_HANDLER(port_range_in32)
NO_HANDLER(port_range_out8)
NO_HANDLER(port_range_out16)
NO_HANDLER(port_range_out32)
#undef NO_HANDLER

enum error port_range_derive(const struct slot *, struct cap *) { return ERROR_ILLEGAL_OPERATION; }

void port_range_destroy(struct slot *, bool) {}
