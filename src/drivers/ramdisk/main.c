// SPDX-License-Identifier: BSD-2-Clause
// The RAM disk: a memory region served as a disk. It starts with the file that the description
// prefills the region with, or with zeros; what is written is lost with the system.
#include <microkit.h>

#include <base/bits.h>
#include <base/memory.h>

#include <lib/block/grants.h>
#include <nacre/print.h>

enum {
	BATCH = 16, // answers before sleeping clients are notified of them
};

// Patched by the composer.
uint64_t disk_vaddr __attribute__((section(".data")));
uint64_t disk_size __attribute__((section(".data")));

// State of the driver; one thread, written by the functions of this file only.
static struct block_server server;

static void carry_out(const struct block_job *job) {
	uint8_t *sectors = (uint8_t *)disk_vaddr + job->sector * BLOCK_SECTOR;
	size_t bytes = (size_t)job->count * BLOCK_SECTOR;

	// A flush has no sectors and needs no work; what is discarded may stay.
	if (job->kind == BLOCK_READ) memcpy(job->data, sectors, bytes);
	if (job->kind == BLOCK_WRITE) memcpy(sectors, job->data, bytes);
	if (job->kind == BLOCK_WRITE_ZEROES) memset(sectors, 0, bytes);
	block_server_finish(&server, job, BLOCK_OK, job->count);
}

static void serve(void) {
	struct block_job job;

	for (unsigned done = 1; block_server_next(&server, &job); done++) {
		carry_out(&job);
		if (done % BATCH == 0) grants_notify(&server);
	}
	grants_notify(&server);
}

void init(void) {
	server.kinds = BIT(BLOCK_DISCARD) | BIT(BLOCK_WRITE_ZEROES);
	server.sectors = disk_vaddr ? disk_size / BLOCK_SECTOR : 0;
	if (server.sectors == 0)
		print("ramdisk: the description maps no disk (disk_vaddr, disk_size)\n");
	grants_open(&server);
	serve();
}

void notified(microkit_channel) { serve(); }
