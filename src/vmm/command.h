// SPDX-License-Identifier: BSD-2-Clause
// Commands of the guest's controllers.
#pragma once

#include <vmm/machine.h>

// Does one command; `by` is who gave it, for the log. The caller settles the machine.
[[nodiscard]] enum guest_result command_do(
	struct machine *machine, uint32_t command, const char *by);
// Does what the controllers have asked for, and answers; the machine may be incomplete.
void command_take_all(struct machine *machine);
