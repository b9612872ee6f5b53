// SPDX-License-Identifier: BSD-2-Clause
// The block server: what it grants, what it refuses, turns, full rings, restarts, hostile clients.
#include "test.h"

#include <lib/block/server.h>

#include <stdlib.h>
#include <string.h>

enum {
	DATA_BYTES = 16 * BLOCK_SECTOR,
	DEVICE_SECTORS = 1000,
	FIRST = 100,
	COUNT = 50,
};

static struct block_server server;
static struct block_queue *queues[2];
static struct block_end ends[2];
static uint8_t *data[2]; // of the exact size, so that the sanitizer sees a step outside

static void grant(unsigned client, uint64_t first, uint64_t count, bool read_only) {
	free(queues[client]);
	free(data[client]);
	queues[client] = aligned_alloc(RING_LINE, sizeof(struct block_queue));
	memset(queues[client], 0, sizeof(struct block_queue));
	data[client] = calloc(1, DATA_BYTES);
	check(block_server_add(&server, client,
		&(struct block_grant){.queue = queues[client],
			.data = data[client],
			.data_size = DATA_BYTES,
			.data_paddr = 0x100000,
			.first = first,
			.count = count,
			.read_only = read_only}));
	check(block_open(&ends[client], queues[client]));
}

static void start(void) {
	server = (struct block_server){.sectors = DEVICE_SECTORS};
	grant(0, FIRST, COUNT, false);
	grant(1, 990, 0, true);
}

static void ask(unsigned client, struct block_request request) {
	check(ring_put(&ends[client].requests, &request));
}

// The next expected answer.
static bool answered(unsigned client, uint64_t tag, enum block_status status, uint32_t count) {
	struct block_completion completion;

	return ring_get(&ends[client].completions, &completion) && completion.tag == tag &&
		completion.status == status && completion.count == count;
}

static void checked_job(void) {
	struct block_job job;

	start();
	ask(0, (struct block_request){7, 49, 15 * BLOCK_SECTOR, 1, BLOCK_WRITE});
	check(block_server_next(&server, &job));
	check(job.client == 0 && job.kind == BLOCK_WRITE && job.tag == 7);
	check(job.sector == FIRST + 49 && job.count == 1);
	check(job.data == data[0] + 15 * BLOCK_SECTOR);
	check(job.data_paddr == 0x100000 + 15 * BLOCK_SECTOR);
	check(block_server_to_notify(&server) == 0); // nothing was answered yet
	block_server_finish(&server, &job, BLOCK_OK, 1);
	check(block_server_to_notify(&server) == 1 && block_server_to_notify(&server) == 0);
	check(answered(0, 7, BLOCK_OK, 1));
	ask(0, (struct block_request){8, 1000000, 1000000, 1000, BLOCK_FLUSH});
	check(block_server_next(&server, &job) && job.kind == BLOCK_FLUSH && job.count == 0);
	block_server_finish(&server, &job, BLOCK_DEVICE_ERROR, 0);
	check(answered(0, 8, BLOCK_DEVICE_ERROR, 0));
	check(!block_server_next(&server, &job));
}

static void refusals(void) {
	static const struct {
		unsigned client;
		struct block_request request;
		enum block_status status;
	} rows[] = {
		{0, {1, 0, 0, 1, 0}, BLOCK_BAD_REQUEST},
		{0, {1, 0, 0, 1, 5}, BLOCK_BAD_REQUEST},
		{0, {1, 0, 0, 1, UINT32_MAX}, BLOCK_BAD_REQUEST},
		{0, {1, 0, 0, 0, BLOCK_READ}, BLOCK_BAD_REQUEST},
		{0, {1, 0, 0, BLOCK_MAXIMUM + 1, BLOCK_READ}, BLOCK_BAD_REQUEST},
		{0, {1, COUNT, 0, 1, BLOCK_READ}, BLOCK_OUT_OF_RANGE},
		{0, {1, COUNT - 1, 0, 2, BLOCK_WRITE}, BLOCK_OUT_OF_RANGE},
		{0, {1, UINT64_MAX, 0, 1, BLOCK_READ}, BLOCK_OUT_OF_RANGE},
		{0, {1, UINT64_MAX - FIRST + 1, 0, 1, BLOCK_READ}, BLOCK_OUT_OF_RANGE},
		{1, {1, 10, 0, 1, BLOCK_READ}, BLOCK_OUT_OF_RANGE},
		{0, {1, 0, 0, 17, BLOCK_READ}, BLOCK_BAD_DATA},
		{0, {1, 0, DATA_BYTES, 1, BLOCK_READ}, BLOCK_BAD_DATA},
		{0, {1, 0, BLOCK_SECTOR + 8, 1, BLOCK_READ}, BLOCK_BAD_DATA},
		{0, {1, 0, UINT64_MAX - BLOCK_SECTOR + 1, 2, BLOCK_READ}, BLOCK_BAD_DATA},
		{0, {1, 0, DATA_BYTES, 0, BLOCK_IDENTIFY}, BLOCK_BAD_DATA},
		{1, {1, 0, 0, 1, BLOCK_WRITE}, BLOCK_READ_ONLY},
	};
	struct block_job job;

	start();
	for (size_t i = 0; i < array_count(rows); i++) {
		ask(rows[i].client, rows[i].request);
		check(!block_server_next(&server, &job));
		check(answered(rows[i].client, 1, rows[i].status, 0));
	}
}

static void identifies(void) {
	struct block_information information;
	struct block_job job;

	start();
	ask(0, (struct block_request){3, 0, BLOCK_SECTOR, 0, BLOCK_IDENTIFY});
	ask(1, (struct block_request){4, 0, 0, 0, BLOCK_IDENTIFY});
	check(!block_server_next(&server, &job));
	check(answered(0, 3, BLOCK_OK, 0) && answered(1, 4, BLOCK_OK, 0));
	memcpy(&information, data[0] + BLOCK_SECTOR, sizeof(information));
	check(information.sectors == COUNT && information.sector_size == BLOCK_SECTOR);
	check(information.maximum == BLOCK_MAXIMUM && information.read_only == 0);
	memcpy(&information, data[1], sizeof(information));
	check(information.sectors == 10 && information.read_only == 1);
	// A range past the device has no sectors; without a device there is nothing at all.
	grant(1, DEVICE_SECTORS + 5, 3, false);
	ask(1, (struct block_request){5, 0, 0, 1, BLOCK_READ});
	check(!block_server_next(&server, &job) && answered(1, 5, BLOCK_OUT_OF_RANGE, 0));
	server.sectors = 0;
	ask(1, (struct block_request){6, 0, 0, 0, BLOCK_IDENTIFY});
	check(!block_server_next(&server, &job) && answered(1, 6, BLOCK_NO_DEVICE, 0));
}

static void turns(void) {
	struct block_job job;
	unsigned served[2] = {0, 0};

	start();
	for (unsigned i = 0; i < BLOCK_CAPACITY; i++)
		ask(0, (struct block_request){i, 0, 0, 1, BLOCK_READ});
	for (unsigned i = 0; i < 8; i++)
		ask(1, (struct block_request){i, 0, 0, 1, BLOCK_READ});
	for (unsigned i = 0; i < 16; i++) {
		check(block_server_next(&server, &job));
		served[job.client]++;
		block_server_finish(&server, &job, BLOCK_OK, 1);
	}
	check(served[0] == 8 && served[1] == 8);
	check(block_server_to_notify(&server) == 3);
}

// A client that takes no completions is served no further, and is asked to notify when there is
// room.
static void full_completions(void) {
	struct block_job job;

	start();
	for (unsigned i = 0; i < 2 * BLOCK_CAPACITY; i++) {
		if (i == BLOCK_CAPACITY) check(!block_server_next(&server, &job));
		ask(0, (struct block_request){i, 0, 0, 1, 99});
	}
	check(!block_server_next(&server, &job));
	check(ring_count(&ends[0].completions) == BLOCK_CAPACITY);
	ask(1, (struct block_request){1, 0, 0, 1, BLOCK_READ});
	check(block_server_next(&server, &job) && job.client == 1);
	check(answered(0, 0, BLOCK_BAD_REQUEST, 0));
	check(ring_must_notify_producer(&ends[0].completions));
	block_server_finish(&server, &job, BLOCK_OK, 1);
	check(!block_server_next(&server, &job));
	for (unsigned i = 1; i <= BLOCK_CAPACITY; i++)
		check(answered(0, i, BLOCK_BAD_REQUEST, 0));
	check(!ring_get(&ends[0].completions, &(struct block_completion){0}));
}

static void sleeping(void) {
	struct block_job job;

	start();
	check(!block_server_next(&server, &job));
	ask(0, (struct block_request){1, 0, 0, 1, BLOCK_READ});
	check(ring_must_notify(&ends[0].requests) && !ring_must_notify(&ends[0].requests));
	check(block_server_next(&server, &job));
	ask(0, (struct block_request){2, 0, 0, 1, BLOCK_READ});
	check(!ring_must_notify(&ends[0].requests)); // the driver is at work
	block_server_finish(&server, &job, BLOCK_OK, 1);
	check(block_server_next(&server, &job) && job.tag == 2);
}

static void restarted(void) {
	struct block_job job;

	start();
	ask(0, (struct block_request){1, 2, BLOCK_SECTOR, 1, BLOCK_WRITE});
	check(block_server_next(&server, &job));
	server.clients[0] = (struct block_client){0};
	check(block_server_add(&server, 0,
		&(struct block_grant){
			.queue = queues[0], .data = data[0], .data_size = DATA_BYTES}));
	check(block_server_next(&server, &job) && job.tag == 1 && job.sector == 2);
	check(job.data_paddr == 0); // this grant has no physical address of the data
}

// Jobs that are under way side by side, as a driver with a queue has them.
static void several(void) {
	struct block_job jobs[3];
	struct block_job job;

	start();
	ask(0, (struct block_request){1, 0, 0, 1, BLOCK_READ});
	ask(0, (struct block_request){2, 0, 0, 1, BLOCK_WRITE});
	ask(0, (struct block_request){3, 0, 0, 1, 99}); // answered in its turn
	ask(0, (struct block_request){4, 0, 0, 0, BLOCK_FLUSH});
	ask(1, (struct block_request){5, 0, 0, 1, BLOCK_READ});
	for (unsigned i = 0; i < array_count(jobs); i++)
		check(block_server_next(&server, &jobs[i]));
	check(!block_server_next(&server, &job)); // and returns although a request is left
	check(jobs[0].tag == 1 && jobs[1].tag == 5 && jobs[2].tag == 2);
	block_server_finish(&server, &jobs[0], BLOCK_OK, 1);
	check(!block_server_next(&server, &job));
	check(!ring_must_notify(&ends[0].requests)); // one that was seen needs no notification
	block_server_finish(&server, &jobs[2], BLOCK_DEVICE_ERROR, 0);
	check(block_server_next(&server, &job) && job.tag == 4 && job.kind == BLOCK_FLUSH);
	check(answered(0, 1, BLOCK_OK, 1) && answered(0, 2, BLOCK_DEVICE_ERROR, 0));
	check(answered(0, 3, BLOCK_BAD_REQUEST, 0));
	check(!block_server_next(&server, &job));
	check(ring_must_notify(&ends[0].requests)); // the next one would not be seen
	block_server_finish(&server, &job, BLOCK_OK, 0);
	block_server_finish(&server, &jobs[1], BLOCK_OK, 1);
	check(answered(0, 4, BLOCK_OK, 0) && answered(1, 5, BLOCK_OK, 1));
}

// No more jobs than there is room for answers.
static void answers_have_room(void) {
	struct block_job job;
	unsigned taken = 0;

	start();
	for (unsigned i = 0; i < BLOCK_CAPACITY; i++)
		ask(0, (struct block_request){i, 0, 0, 1, 99});
	check(!block_server_next(&server, &job));
	for (unsigned i = 0; i < 5; i++)
		check(answered(0, i, BLOCK_BAD_REQUEST, 0));
	for (unsigned i = 0; i < BLOCK_CAPACITY; i++)
		ask(0, (struct block_request){i, 0, 0, 1, BLOCK_READ});
	while (taken < BLOCK_CAPACITY && block_server_next(&server, &job))
		taken++;
	check(taken == 5);
}

static void absent(void) {
	struct block_job job;

	start();
	server.clients[1].grant.absent = true;
	ask(1, (struct block_request){1, 0, 0, 0, BLOCK_IDENTIFY});
	ask(1, (struct block_request){2, 0, 0, 1, BLOCK_READ});
	check(!block_server_next(&server, &job));
	check(answered(1, 1, BLOCK_NO_DEVICE, 0) && answered(1, 2, BLOCK_NO_DEVICE, 0));
}

// Discarding and zeroing: only by drivers that say so, without data, of any length.
static void ranges(void) {
	struct block_job job;

	start();
	server.kinds = 1u << BLOCK_WRITE_ZEROES;
	ask(0, (struct block_request){1, 0, 0, 1, BLOCK_DISCARD});
	check(!block_server_next(&server, &job) && answered(0, 1, BLOCK_BAD_REQUEST, 0));
	ask(0, (struct block_request){1, 0, 0, 0, BLOCK_WRITE_ZEROES});
	check(!block_server_next(&server, &job) && answered(0, 1, BLOCK_BAD_REQUEST, 0));
	ask(0, (struct block_request){1, 1, 0, COUNT, BLOCK_WRITE_ZEROES});
	check(!block_server_next(&server, &job) && answered(0, 1, BLOCK_OUT_OF_RANGE, 0));
	ask(1, (struct block_request){1, 0, 0, 1, BLOCK_WRITE_ZEROES});
	check(!block_server_next(&server, &job) && answered(1, 1, BLOCK_READ_ONLY, 0));
	ask(0, (struct block_request){1, 0, UINT64_MAX, COUNT, BLOCK_WRITE_ZEROES});
	check(block_server_next(&server, &job) && job.kind == BLOCK_WRITE_ZEROES);
	check(job.sector == FIRST && job.count == COUNT && !job.data && job.data_paddr == 0);
	block_server_finish(&server, &job, BLOCK_OK, COUNT);
	check(answered(0, 1, BLOCK_OK, COUNT));
}

// A client that writes anything anywhere in what it shares.
static void hostile(void) {
	uint64_t random = 1;
	struct block_job job;

	start();
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t *bytes = (uint8_t *)queues[0];

		for (unsigned k = 0; k < 16; k++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			bytes[(random >> 33) % sizeof(struct block_queue)] = (uint8_t)(random >>
				20);
			bytes[(random >> 40) % RING_HEADER] = (uint8_t)(random >> 24);
		}
		for (unsigned k = 0; k < 4 && block_server_next(&server, &job); k++) {
			bool moves = job.kind != BLOCK_FLUSH;

			check(!moves ||
				(job.sector >= FIRST && job.sector + job.count <= FIRST + COUNT));
			if (moves) memset(job.data, (int)i, (size_t)job.count * BLOCK_SECTOR);
			block_server_finish(&server, &job, BLOCK_OK, job.count);
		}
		(void)block_server_to_notify(&server);
	}
	ask(1, (struct block_request){1, 0, 0, 1, BLOCK_READ});
	do {
		check(block_server_next(&server, &job));
		block_server_finish(&server, &job, BLOCK_OK, 1);
	} while (job.client != 1);
}

static const struct test rows[] = {
	{"user/block/job", "a request becomes a job inside what the client was granted",
		checked_job},
	{"user/block/refusals", "each wrong request is refused by its own status", refusals},
	{"user/block/identify", "a client learns its range, clipped to the device", identifies},
	{"user/block/ranges", "sectors are discarded and zeroed by drivers that can", ranges},
	{"user/block/several", "jobs are under way side by side and answered in their order",
		several},
	{"user/block/room", "no job is taken without room for its answer", answers_have_room},
	{"user/block/absent", "a client without a disk is answered that there is none", absent},
	{"user/block/turns", "clients are served in turn", turns},
	{"user/block/full", "a client that takes no answers holds only itself up",
		full_completions},
	{"user/block/sleep", "the driver is notified once a sleep, and not while it works",
		sleeping},
	{"user/block/restart", "a restarted driver finds the request it had not answered",
		restarted},
	{"user/block/hostile", "junk in the shared rings stays inside the grant", hostile},
};

const struct tests block_tests = {rows, array_count(rows)};
