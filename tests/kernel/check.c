// SPDX-License-Identifier: BSD-2-Clause
// The checks of test.h; what a failing one leads to is the program's own test_fail.
#include "test.h"

void check_equal(struct place place, const char *what, uint64_t actual, uint64_t expected) {
	if (actual != expected)
		test_fail(place, "%s is 0x%lx, expected 0x%lx", what, actual, expected);
}

void check_between(struct place place, const char *what, uint64_t actual, const uint64_t range[2]) {
	if (actual < range[0] || actual > range[1])
		test_fail(
			place, "%s is %lu, expected %lu to %lu", what, actual, range[0], range[1]);
}

void check_answer(
	struct place place, const struct message *answer, enum error error, struct words payload) {
	if (answer->label != error)
		test_fail(place, "answer %lu (%lx %lx), expected error %u", answer->label,
			answer->words[0], answer->words[1], error);
	if (answer->length != payload.count)
		test_fail(place, "error %u has length %u, expected %u", error, answer->length,
			payload.count);
	if (answer->badge != 0 || answer->caps != 0)
		test_fail(place, "error %u has badge %lx, caps %u", error, answer->badge,
			answer->caps);
	for (unsigned word = 0; word < payload.count; word++) {
		if (answer->words[word] != payload.items[word])
			test_fail(place, "error %u word %u is 0x%lx, expected 0x%lx", error, word,
				answer->words[word], payload.items[word]);
	}
}

void check_ok(struct place place, const struct message *answer) {
	if (answer->label != ERROR_NONE)
		test_fail(place, "error %lu, length %u: 0x%lx 0x%lx 0x%lx", answer->label,
			answer->length, answer->words[0], answer->words[1], answer->words[2]);
	if (answer->badge != 0 || answer->caps != 0)
		test_fail(place, "success with badge %lx, caps %u", answer->badge, answer->caps);
}
