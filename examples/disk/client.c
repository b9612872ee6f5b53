// SPDX-License-Identifier: BSD-2-Clause
// Uses a disk through the block protocol: queries its size, reads the known line at its start,
// writes some sectors and reads them back.
#include <microkit.h>

#include <nacre/protocol/block.h>

enum {
	DRIVER = 4,
	KNOWN_SECTOR = 0,
	OWN_SECTOR = 8,
	OWN_COUNT = 16,
	OWN_BYTES = OWN_COUNT * BLOCK_SECTOR,
	// Where in the data region the sectors are kept.
	DATA_FIRST = 0,
	DATA_SECOND = OWN_BYTES,
};

// Patched by the composer.
uint64_t queue_vaddr;
uint64_t data_vaddr;

static const char known_line[] = "Nacre's disk example: ";

// State of the client; one thread, written by the functions of this file only.
static struct block_end driver;
static unsigned current; // step that the driver works on

static char *data_at(uint64_t offset) { return (char *)data_vaddr + offset; }

static void print_number(uint64_t value) {
	char digits[21];
	unsigned place = sizeof(digits) - 1;

	digits[place] = 0;
	do {
		digits[--place] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	microkit_dbg_puts(digits + place);
}

static bool tell_size(void) {
	const struct block_information *information = (const void *)data_at(DATA_FIRST);

	microkit_dbg_puts("disk: ");
	print_number(information->sectors);
	microkit_dbg_puts(" sectors\n");
	return information->sectors >= OWN_SECTOR + OWN_COUNT;
}

static bool has_known_line(void) {
	for (unsigned i = 0; known_line[i]; i++)
		if (data_at(DATA_FIRST)[i] != known_line[i]) return false;
	microkit_dbg_puts("disk: the known line is there\n");
	// What the next step writes.
	for (unsigned i = 0; i < OWN_BYTES; i++)
		data_at(DATA_FIRST)[i] = (char)(i * 7 + i / 256);
	return true;
}

static bool reads_what_was_written(void) {
	for (unsigned i = 0; i < OWN_BYTES; i++)
		if (data_at(DATA_SECOND)[i] != (char)(i * 7 + i / 256)) return false;
	microkit_dbg_puts("disk: read back what was written\n");
	return true;
}

static bool nothing(void) { return true; }

// Each request, the expected answer, and what is checked then.
static const struct {
	const char *name;
	struct block_request request;
	uint32_t status;
	bool (*check)(void);
} steps[] = {
	{"identify", {.kind = BLOCK_IDENTIFY, .data = DATA_FIRST}, BLOCK_OK, tell_size},
	{"read", {.kind = BLOCK_READ, .sector = KNOWN_SECTOR, .data = DATA_FIRST, .count = 1},
		BLOCK_OK, has_known_line},
	{"write",
		{.kind = BLOCK_WRITE, .sector = OWN_SECTOR, .data = DATA_FIRST, .count = OWN_COUNT},
		BLOCK_OK, nothing},
	{"flush", {.kind = BLOCK_FLUSH}, BLOCK_OK, nothing},
	{"read back",
		{.kind = BLOCK_READ, .sector = OWN_SECTOR, .data = DATA_SECOND, .count = OWN_COUNT},
		BLOCK_OK, reads_what_was_written},
	{"read past the end", {.kind = BLOCK_READ, .sector = ~0ul, .data = DATA_FIRST, .count = 1},
		BLOCK_OUT_OF_RANGE, nothing},
};

enum {
	STEPS = sizeof(steps) / sizeof(steps[0]),
};

static void ask(void) {
	struct block_request request = steps[current].request;

	request.tag = current;
	ring_put(&driver.requests, &request);
	if (ring_must_notify(&driver.requests)) microkit_notify(DRIVER);
}

static bool is_right(const struct block_completion *completion) {
	if (completion->tag == current && completion->status == steps[current].status &&
		steps[current].check())
		return true;
	microkit_dbg_puts("disk: wrong at: ");
	microkit_dbg_puts(steps[current].name);
	microkit_dbg_puts(", status ");
	print_number(completion->status);
	microkit_dbg_puts("\n");
	return false;
}

static void next(const struct block_completion *completion) {
	if (current == STEPS) return;
	if (!is_right(completion))
		current = STEPS;
	else if (++current < STEPS)
		ask();
	else
		microkit_dbg_puts("disk: all right\n");
}

void init(void) {
	if (block_open(&driver, (struct block_queue *)queue_vaddr))
		ask();
	else
		microkit_dbg_puts("disk: the description gives no queue\n");
}

void notified(microkit_channel channel) {
	struct block_completion completion;

	(void)channel;
	do {
		while (ring_get(&driver.completions, &completion))
			next(&completion);
	} while (!ring_may_sleep(&driver.completions));
}
