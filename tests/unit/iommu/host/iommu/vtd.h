// SPDX-License-Identifier: BSD-2-Clause
// Host tests: each access to a register is a call of the test.
#pragma once

#define vtd_word vtd_word_of_hardware
#define vtd_long vtd_long_of_hardware
#include_next <iommu/vtd.h>
#undef vtd_word
#undef vtd_long

volatile uint32_t *vtd_word(const struct vtd_unit *unit, unsigned at);
volatile uint64_t *vtd_long(const struct vtd_unit *unit, unsigned at);
