// SPDX-License-Identifier: BSD-2-Clause
// Host tests: each access to a register is a call of the model.
#pragma once

#define amdvi_long amdvi_long_of_hardware
#include_next <iommu/amdvi.h>
#undef amdvi_long

volatile uint64_t *amdvi_long(const struct amdvi_unit *unit, unsigned at);
