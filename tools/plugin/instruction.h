// SPDX-License-Identifier: BSD-2-Clause
// What the plugin wants to know of an instruction, from its bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum instruction_kind {
	KIND_OTHER,
	KIND_CONDITIONAL_BRANCH,
	KIND_TIME_STAMP,
	KIND_PAUSE,
	KIND_LOCKED, // it has the bus or its cache line for itself
};

enum instruction_kind instruction_kind(const uint8_t *bytes, size_t size);
