// SPDX-License-Identifier: BSD-2-Clause
// What connects domains with each other and with devices.
#pragma once

#include <root/system.h>

// Channels, children, shared capabilities, interrupts and I/O ports of the domains of a group (or
// GROUP_ALL) that are not omitted. After a group was rebuilt its peers get their ends again, too.
[[nodiscard]] seL4_Error wire_group(struct system *system, unsigned group);
