// SPDX-License-Identifier: BSD-2-Clause
// LMSW and SMSW, of which AMD-V says that CR0 is written or read, and no more (APM 2 15.8.1).
#pragma once

#include <vmm/vcpu/operand.h>

enum completion {
	COMPLETION_DONE, // the page says what VT-x's would
	COMPLETION_FINISHED, // carried out, or an exception is raised
	COMPLETION_UNKNOWN, // another instruction, or bytes are missing
};

[[nodiscard]] bool status_word_is(const uint8_t *opcode, unsigned left);
// What exited is one of the two; bytes begin with its prefixes.
[[nodiscard]] enum completion status_word_complete(struct operand_space *space,
	const uint8_t *bytes, uint8_t count, const struct prefixes *prefixes);
