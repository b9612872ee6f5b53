// SPDX-License-Identifier: BSD-2-Clause
// Xorshift.
#include "chance.h"

void chance_seed(struct chance *chance, uint64_t seed) {
	// Small seeds must not begin alike.
	chance->state = (seed + 1) * 0x9e3779b97f4a7c15ul;
	if (!chance->state) chance->state = 1;
}

uint64_t chance_word(struct chance *chance) {
	chance->state ^= chance->state << 13;
	chance->state ^= chance->state >> 7;
	chance->state ^= chance->state << 17;
	return chance->state;
}

unsigned chance_below(struct chance *chance, unsigned bound) {
	return (unsigned)((chance_word(chance) >> 32) * bound >> 32);
}

bool chance_percent(struct chance *chance, unsigned percent) {
	return chance_below(chance, 100) < percent;
}

unsigned chance_weighted(struct chance *chance, const uint8_t *weights, unsigned count) {
	unsigned sum = 0;
	unsigned at;

	for (unsigned i = 0; i < count; i++)
		sum += weights[i];
	at = chance_below(chance, sum);
	for (unsigned i = 0; i < count; i++) {
		if (at < weights[i]) return i;
		at -= weights[i];
	}
	return 0;
}
