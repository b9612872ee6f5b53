// SPDX-License-Identifier: BSD-2-Clause
// Host tests: INVEPT becomes a call of the test.
#pragma once

#include <cpu/layout.h>

void vmx_invalidate_guest(physical_t root);
