// SPDX-License-Identifier: BSD-2-Clause
// Writes four sectors with the number of the round, flushes, prints the number, and so on without
// an end: what was printed must be on the disk when the power fails.
#include <microkit.h>

#include <nacre/protocol/block.h>

enum {
	DRIVER = 4,
	ROUNDS = 64, // until sectors are written anew
	WRITES = 4, // a round
	FLUSH = WRITES, // its tag
	WORDS = BLOCK_SECTOR / 8,
};

// Patched by the composer.
uint64_t queue_vaddr;
uint64_t data_vaddr;

// State of the writer; one thread, written by the functions of this file only.
static struct block_end driver;
static uint64_t round_number = 1;
static unsigned left; // answers of the round that are still to come

static void print_round(void) {
	char text[32];
	unsigned place = sizeof(text) - 1;
	uint64_t value = round_number;

	text[place] = 0;
	text[--place] = '\n';
	do {
		text[--place] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	microkit_dbg_puts("flushed ");
	microkit_dbg_puts(text + place);
}

static void send(const struct block_request *request) {
	left++;
	if (!ring_put(&driver.requests, request)) microkit_dbg_puts("writer: the ring is full\n");
}

static void begin_round(void) {
	for (unsigned i = 0; i < WRITES; i++) {
		uint64_t *words = (uint64_t *)(data_vaddr + (uint64_t)i * BLOCK_SECTOR);

		for (unsigned k = 0; k < WORDS; k++)
			words[k] = round_number << 16 ^ i << 8 ^ k;
		send(&(struct block_request){.tag = i,
			.sector = round_number % ROUNDS * WRITES + i,
			.data = (uint64_t)i * BLOCK_SECTOR,
			.count = 1,
			.kind = BLOCK_WRITE});
	}
	if (ring_must_notify(&driver.requests)) microkit_notify(DRIVER);
}

static void answered(const struct block_completion *completion) {
	if (completion->status != BLOCK_OK) microkit_dbg_puts("writer: wrong answer\n");
	if (--left > 0) return;
	if (completion->tag == FLUSH) {
		print_round();
		round_number++;
		begin_round();
		return;
	}
	send(&(struct block_request){.tag = FLUSH, .kind = BLOCK_FLUSH});
	if (ring_must_notify(&driver.requests)) microkit_notify(DRIVER);
}

void init(void) {
	if (block_open(&driver, (struct block_queue *)queue_vaddr)) begin_round();
}

void notified(microkit_channel) {
	struct block_completion completion;

	do {
		while (ring_get(&driver.completions, &completion))
			answered(&completion);
	} while (!ring_may_sleep(&driver.completions));
}
