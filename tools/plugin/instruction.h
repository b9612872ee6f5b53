// SPDX-License-Identifier: BSD-2-Clause
// What the plugin wants to know of an instruction, from its bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum instruction_kind { KIND_OTHER, KIND_CONDITIONAL_BRANCH, KIND_TIME_STAMP };

enum instruction_kind instruction_kind(const uint8_t *bytes, size_t size);
