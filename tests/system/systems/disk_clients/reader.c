// SPDX-License-Identifier: BSD-2-Clause
// Reads its sectors, and tries what it may not: to write, and to read past them.
#include <microkit.h>

#include <nacre/protocol/block.h>

enum {
	DRIVER = 0,
	STEPS = 4,
};

// Patched by the composer.
uint64_t queue_vaddr;
uint64_t data_vaddr;

static struct block_end driver; // written by init and the ring's functions

static const struct {
	struct block_request request;
	uint32_t status;
} steps[STEPS] = {
	{{.tag = 0, .kind = BLOCK_READ, .sector = 0, .count = 8}, BLOCK_OK},
	{{.tag = 1, .kind = BLOCK_WRITE, .sector = 0, .count = 1}, BLOCK_READ_ONLY},
	{{.tag = 2, .kind = BLOCK_READ, .sector = 1, .count = 8}, BLOCK_OUT_OF_RANGE},
	{{.tag = 3, .kind = BLOCK_READ, .sector = 0, .data = 512, .count = 8}, BLOCK_BAD_DATA},
};

void init(void) {
	if (!block_open(&driver, (struct block_queue *)queue_vaddr)) return;
	for (unsigned i = 0; i < STEPS; i++)
		ring_put(&driver.requests, &steps[i].request);
	if (ring_must_notify(&driver.requests)) microkit_notify(DRIVER);
}

void notified(microkit_channel) {
	struct block_completion completion;

	do {
		while (ring_get(&driver.completions, &completion)) {
			if (completion.tag >= STEPS ||
				completion.status != steps[completion.tag].status)
				microkit_dbg_puts("reader: wrong answer\n");
			if (completion.tag != STEPS - 1) continue;
			microkit_dbg_puts(((const char *)data_vaddr)[0] == 'N'
					? "reader: has what it may have\n"
					: "reader: wrong contents\n");
		}
	} while (!ring_may_sleep(&driver.completions));
}
