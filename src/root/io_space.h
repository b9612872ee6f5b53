// SPDX-License-Identifier: BSD-2-Clause
// I/O address spaces: what devices may reach through the IOMMU.
#pragma once

#include <root/system.h>

// Map the described memory for the devices of the group. Without an IOMMU a single line names those
// that reach all memory.
[[nodiscard]] seL4_Error io_spaces_build(struct system *system, unsigned group);

// Bytes that the group's tables take.
[[nodiscard]] seL4_Word io_spaces_bytes(const struct system *system, unsigned group);

// The device reaches nothing from now on, until its space is built again.
void io_space_cut(struct system *system, uint32_t index);
