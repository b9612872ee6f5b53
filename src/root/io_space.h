// SPDX-License-Identifier: BSD-2-Clause
// I/O address spaces: what devices may reach through the IOMMU.
#pragma once

#include <root/system.h>

// Map the described memory for the described devices. Without an IOMMU a single line says so.
[[nodiscard]] seL4_Error io_spaces_build(struct system *system);
