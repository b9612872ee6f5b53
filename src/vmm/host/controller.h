// SPDX-License-Identifier: BSD-2-Clause
// A controller of the guest: the component behind a control page, which is not trusted.
#pragma once

#include <nacre/protocol/guest.h>

#include <stdbool.h>
#include <stdint.h>

struct controller {
	struct guest_control *shared; // or null
	const char *name; // for the log
	void (*signal)(void *context);
	void *context;
	uint32_t taken; // number of the last command
	uint32_t answered;
};

// Goes on behind the last answer, which a monitor before this one may have written.
void controller_open(struct controller *controller, struct guest_control *shared);
// Whether there is a new command, of any number.
[[nodiscard]] bool controller_take(struct controller *controller, uint32_t *command);
// The command that was taken is done.
void controller_answer(struct controller *controller, enum guest_result result);
void controller_tell(const struct controller *controller, uint64_t status);
