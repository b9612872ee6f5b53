// SPDX-License-Identifier: BSD-2-Clause
// Writes its 256 sectors with many requests under way, reads them back and compares, and makes the
// driver crash in the middle of its work three times.
#include <microkit.h>

#include <nacre/protocol/block.h>

enum {
	DRIVER = 0,
	FLOODER = 1, // notifies when it has begun
	SLOT_DRIVER_THREAD = 1,
	SECTORS = 256,
	UNDER_WAY = 32, // and as many sectors in the data region
	KILL_EVERY = 130, // answers
	KILLS = 3,
	PHASES = 2, // write, read
};

// Patched by the composer.
uint64_t queue_vaddr;
uint64_t data_vaddr;

// Written by the functions of this file only.
static struct block_end driver;
static unsigned asked; // requests of both phases, and answers to them
static unsigned answered;
static unsigned kills;
static bool is_answered[PHASES * SECTORS];

static uint32_t *place_of(unsigned number) {
	return (uint32_t *)(data_vaddr + number % UNDER_WAY * BLOCK_SECTOR);
}

static uint32_t word_of(unsigned sector, unsigned i) { return sector << 16 ^ i * 77; }

static void ask(void) {
	struct block_request request = {
		.tag = asked,
		.sector = asked % SECTORS,
		.data = asked % UNDER_WAY * BLOCK_SECTOR,
		.count = 1,
		.kind = asked < SECTORS ? BLOCK_WRITE : BLOCK_READ,
	};

	for (unsigned i = 0; i < BLOCK_SECTOR / 4; i++)
		place_of(asked)[i] = asked < SECTORS ? word_of(asked, i) : 0;
	ring_put(&driver.requests, &request);
	asked++;
}

// Requests up to the first that is not answered and a ring further; reads only after all writes.
static void ask_more(void) {
	while (asked < PHASES * SECTORS && asked < answered + UNDER_WAY &&
		(asked != SECTORS || answered == SECTORS))
		ask();
	if (ring_must_notify(&driver.requests)) microkit_notify(DRIVER);
}

static void kill_driver(void) {
	seL4_UserContext registers = {.rip = 0x10};

	kills++;
	if (seL4_TCB_WriteRegisters(microkit_cspace_root_slot_to_cptr(SLOT_DRIVER_THREAD),
		    seL4_True, 0, 2, &registers))
		microkit_dbg_puts("worker: cannot kill the driver\n");
}

static bool is_right(const struct block_completion *completion) {
	if (completion->status != BLOCK_OK || completion->count != 1) return false;
	if (completion->tag < SECTORS) return true;
	for (unsigned i = 0; i < BLOCK_SECTOR / 4; i++)
		if (place_of((unsigned)completion->tag)[i] !=
			word_of((unsigned)completion->tag - SECTORS, i))
			return false;
	return true;
}

static void take(const struct block_completion *completion) {
	// A driver that crashed may answer one request twice.
	if (completion->tag >= PHASES * SECTORS || is_answered[completion->tag]) return;
	if (completion->tag != answered || !is_right(completion))
		microkit_dbg_puts("worker: wrong answer\n");
	is_answered[completion->tag] = true;
	answered++;
	if (answered % KILL_EVERY == 0 && kills < KILLS) kill_driver();
}

void init(void) {
	if (!block_open(&driver, (struct block_queue *)queue_vaddr))
		microkit_dbg_puts("worker: wrong queue\n");
}

void notified(microkit_channel channel) {
	struct block_completion completion;

	if (channel == FLOODER) ask_more();
	do {
		while (ring_get(&driver.completions, &completion)) {
			take(&completion);
			ask_more();
		}
	} while (!ring_may_sleep(&driver.completions));
	if (answered == PHASES * SECTORS && kills == KILLS)
		microkit_dbg_puts("worker: every sector is right\n");
}
