// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the test says which MSRs there are.
#pragma once

#include <stdbool.h>
#include <stdint.h>

[[nodiscard]] bool msr_try_read(uint32_t msr, uint64_t *value);
[[nodiscard]] bool msr_try_write(uint32_t msr, uint64_t value);
