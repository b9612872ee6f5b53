// SPDX-License-Identifier: BSD-2-Clause
// Takes an input apart.
#include "fuzz.h"

uint8_t input_byte(struct input *input) {
	if (input->left == 0) return 0;
	input->left--;
	return *input->bytes++;
}

uint64_t input_number(struct input *input, unsigned bytes) {
	uint64_t number = 0;

	while (bytes-- > 0)
		number = number << 8 | input_byte(input);
	return number;
}
