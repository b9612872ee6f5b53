// SPDX-License-Identifier: BSD-2-Clause
// String instructions, repeated or not: element by element, so that a fault or an interrupt finds
// the registers at the element that comes next.
#pragma once

#include <vmm/vcpu/operand.h>

enum string_result {
	STRING_NEXT, // an element is done
	STRING_LAST, // done, and the repetition ends with it
	STRING_FAULT, // raised; nothing is done
};

struct string {
	struct operand_space *space;
	bool repeated;
	uint64_t address_mask;
	uint64_t step; // the width of an element, negative if strings are walked downwards
	uint8_t length; // of the instruction
	enum string_result (*element)(struct string *string);
	const void *context; // of the element function
};

// Performs some elements and leaves the vCPU after the instruction, or at it for those to come.
void string_perform(struct string *string);
// The operand a register points to, and the way to the next.
[[nodiscard]] struct place string_place(const struct string *string,
	enum vcpu_segment_number segment, unsigned number, uint8_t width);
void string_step(const struct string *string, unsigned number);
