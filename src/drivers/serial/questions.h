// SPDX-License-Identifier: BSD-2-Clause
// Takes a program's questions to its terminal (ECMA-48 DSR and DA: ESC [ 6n and the like) out of
// the output of one of two terminals, so that only the other one answers. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { QUESTION_LENGTH = 16 }; // a longer sequence is none

struct questions {
	uint8_t held[QUESTION_LENGTH]; // of a sequence whose end has not come yet
	unsigned length;
};

// Takes a byte of output. Returns how many are to be sent now, which are in `sent`.
unsigned questions_put(
	struct questions *questions, uint8_t byte, bool takes_out, uint8_t sent[QUESTION_LENGTH]);
