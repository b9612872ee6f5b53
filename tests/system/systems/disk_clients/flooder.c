// SPDX-License-Identifier: BSD-2-Clause
// Writes junk over all it shares with the driver and notifies it, for ever.
#include <microkit.h>

enum {
	DRIVER = 0,
	WORKER = 1,
	QUEUE_WORDS = 4096 / 8,
	ROUNDS_AHEAD = 3,
};

// Patched by the composer.
uint64_t queue_vaddr;

void init(void) {
	volatile uint64_t *words = (volatile uint64_t *)queue_vaddr;
	uint64_t random = 1;

	for (unsigned round = 0;; round++) {
		for (unsigned i = 0; i < QUEUE_WORDS; i++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			// Small numbers are more often nearly right.
			words[i] = random >> (random >> 58);
		}
		microkit_notify(DRIVER);
		if (round == ROUNDS_AHEAD) microkit_notify(WORKER);
	}
}

void notified(microkit_channel channel) { (void)channel; }
