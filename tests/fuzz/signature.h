// SPDX-License-Identifier: BSD-2-Clause
// What each invocation takes, so that most random calls pass the first check.
#pragma once

#include <stdint.h>

// A letter an argument. Words:
//   t object type   s size bits    i free slot   x filled slot   e slot of an endpoint
//   d depth         D node depth   n small count   o offset in a cnode
//   r rights        b badge, guard         p priority   u microseconds   f flags
//   a address       q IPC buffer address   z port       v VMCS field     w anything
// Capabilities: a kind of pool.h, ? for a thread or notification, * for a space of either format.
struct signature {
	uint16_t label;
	char object;
	const char *words;
	const char *caps;
};

extern const struct signature signatures[];
extern const unsigned signature_count;
