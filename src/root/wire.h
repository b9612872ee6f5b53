// SPDX-License-Identifier: BSD-2-Clause
// What connects domains with each other and with devices.
#pragma once

#include <root/system.h>

// Channels, interrupts and I/O ports of all domains that are not omitted.
[[nodiscard]] seL4_Error wire_all(struct system *system);
