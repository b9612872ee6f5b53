// SPDX-License-Identifier: BSD-2-Clause
// The call chain of a stopped domain, as far as it can be found on the stack.
#pragma once

#include <root/system.h>

// One line for the instruction, one for each return address found on the stack.
void backtrace_print(
	const struct system *system, uint32_t domain, const seL4_UserContext *registers);
