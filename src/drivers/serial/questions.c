// SPDX-License-Identifier: BSD-2-Clause
// Holds a sequence back until its final byte says whether it is a question.
#include <drivers/serial/questions.h>

#include <base/memory.h>

enum { ESCAPE = 0x1b, FINAL_FIRST = 0x40, INTRODUCER = 2 };

static bool is_whole(const struct questions *questions, uint8_t byte) {
	if (byte < ' ' && questions->length > 1) return true;
	if (questions->length == INTRODUCER) return byte != '[';
	return questions->length > INTRODUCER && byte >= FINAL_FIRST;
}

unsigned questions_put(
	struct questions *questions, uint8_t byte, bool takes_out, uint8_t sent[QUESTION_LENGTH]) {
	unsigned length;

	if (questions->length == 0 && !(takes_out && byte == ESCAPE)) {
		sent[0] = byte;
		return 1;
	}
	questions->held[questions->length++] = byte;
	if (!is_whole(questions, byte) && questions->length < QUESTION_LENGTH) return 0;
	length = questions->length;
	questions->length = 0;
	if (length > INTRODUCER && (byte == 'n' || byte == 'c')) return 0;
	memcpy(sent, questions->held, length);
	return length;
}
