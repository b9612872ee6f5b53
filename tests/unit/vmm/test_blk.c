// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the block device with its back end, whose driver is the real server of block
// drivers with a disk of RAM.
#include "../check.h"

#include "virtio_driver.h"

#include <vmm/virtio/blk_backend.h>

#include <lib/block/server.h>

#include <string.h>

enum {
	SECTORS = 512,
	BYTES = BLOCK_SECTOR,
	DATA = 1 << 18,
	HEADERS = 0x1000, // of the guest's requests, and the bytes for the status
	STATUSES = 0x3000,
	PAGES = 0x4000,
	MORE_PAGES = 0x100000,
};

static struct blk blk;
static struct blk_client client;
static struct driver driver;
static struct driver_queue *queue;
static struct block_server server;
static struct block_queue shared __attribute__((aligned(4096)));
static uint8_t disk[SECTORS][BYTES];
static uint8_t data[DATA];
static unsigned signals, flushes, jobs;
static bool asleep; // the driver does nothing
static enum block_status answer;

static void carry_out(const struct block_job *job) {
	size_t bytes = (size_t)job->count * BYTES;

	jobs++;
	if (job->kind == BLOCK_READ) memcpy(job->data, disk[job->sector], bytes);
	if (job->kind == BLOCK_WRITE) memcpy(disk[job->sector], job->data, bytes);
	if (job->kind == BLOCK_WRITE_ZEROES) memset(disk[job->sector], 0, bytes);
	flushes += job->kind == BLOCK_FLUSH;
	block_server_finish(&server, job, answer, job->count);
}

static void serve(void) {
	struct block_job job;

	while (block_server_next(&server, &job))
		carry_out(&job);
}

// The driver has the higher priority: it has answered when the signal returns.
static void signal(void *) {
	signals++;
	if (asleep) return;
	serve();
	(void)block_server_to_notify(&server);
}

struct variant {
	const char *name;
	uint64_t features;
	bool copies; // the data region is not the guest's RAM
	bool read_only;
};

#define ALL (VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES)
static const struct variant plain = {"split", ALL, false, false};
static const struct variant variants[] = {
	{"split", ALL, false, false},
	{"split, copies", ALL, true, false},
	{"packed", ALL | VIRTIO_F_RING_PACKED | VIRTIO_F_INDIRECT_DESC, false, false},
	{"packed, copies", ALL | VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX, true, false},
};
enum { VARIANTS = sizeof(variants) / sizeof(variants[0]) };

static void start(const struct variant *variant) {
	memset(&blk, 0, sizeof(blk));
	memset(&shared, 0, sizeof(shared));
	memset(&server, 0, sizeof(server));
	signals = flushes = jobs = 0;
	asleep = false;
	answer = BLOCK_OK;
	for (unsigned i = 0; i < SECTORS; i++)
		memset(disk[i], (int)i, BYTES);
	server.sectors = SECTORS;
	server.kinds = 1u << BLOCK_DISCARD | 1u << BLOCK_WRITE_ZEROES;
	check(block_server_add(&server, 0,
		&(struct block_grant){
			.queue = &shared,
			.data = variant->copies ? data : driver.ram,
			.data_size = variant->copies ? DATA : DRIVER_RAM,
			.read_only = variant->read_only,
		}));
	driver.memory = (struct guest_memory){driver.ram, DRIVER_RAM, 40};
	blk.device.memory = &driver.memory;
	memcpy(blk.serial, "a disk", 6);
	client = (struct blk_client){
		.blk = &blk,
		.queue = &shared,
		.data = variant->copies ? data : driver.ram,
		.data_size = variant->copies ? DATA : DRIVER_RAM,
		.signal = signal,
	};
	check(blk_client_open(&client));
	blk_client_notified(&client);
	check(client.ready);
	driver_start(&driver, &blk.device, variant->features | VIRTIO_F_VERSION_1);
	queue = driver_open(&driver, 0, 128);
	driver_ok(&driver);
	driver_ask(queue);
}

// A request whose status byte and header have the request's number.
static bool ask(uint64_t number, uint32_t type, uint64_t sector, const struct driver_buffer *pages,
	unsigned count) {
	struct driver_buffer buffers[DRIVER_CHAIN];
	bool writes = type != VIRTIO_BLK_IN && type != VIRTIO_BLK_GET_ID;
	struct virtio_blk_header *header = driver_at(&driver, HEADERS + number * sizeof(*header));

	*header = (struct virtio_blk_header){.type = type, .sector = sector};
	buffers[0] = (struct driver_buffer){HEADERS + number * sizeof(*header), sizeof(*header)};
	memcpy(buffers + 1, pages, count * sizeof(*pages));
	buffers[count + 1] = (struct driver_buffer){STATUSES + number, 1};
	driver.ram[STATUSES + number] = 0xee;
	return driver_add(queue, buffers, writes ? count + 1 : 1, writes ? 1 : count + 1, number);
}

// The status of a request that has been answered, which is the only one; and how much was written.
static unsigned answered(uint64_t number, uint32_t *written) {
	uint64_t cookie;

	check(driver_reap(queue, &cookie, written) && cookie == number);
	return driver.ram[STATUSES + number];
}

static unsigned run(uint32_t type, uint64_t sector, const struct driver_buffer *pages,
	unsigned count, uint32_t *written) {
	check(ask(1, type, sector, pages, count));
	driver_kick(queue);
	return answered(1, written);
}

static void test_reads_and_writes(void) {
	for (unsigned i = 0; i < VARIANTS; i++) {
		const struct driver_buffer pages[] = {
			{PAGES, 512}, {PAGES + 512, 1024}, {PAGES + 8192, 2560}};
		uint8_t *ram = driver.ram;
		uint32_t written;

		check_about(variants[i].name);
		start(&variants[i]);
		check_equal(run(VIRTIO_BLK_IN, 10, pages, 3, &written), VIRTIO_BLK_OK);
		check_equal(written, 4097);
		check_equal(jobs, 2); // neighbours are one part
		check(ram[PAGES] == 10 && ram[PAGES + 512] == 11 && ram[PAGES + 1535] == 12);
		check(ram[PAGES + 1536] == 0 && ram[PAGES + 8192] == 13);
		check(ram[PAGES + 8192 + 2559] == 17 && ram[PAGES + 8192 + 2560] == 0);
		memset(ram + PAGES, 0x77, 1536);
		check_equal(run(VIRTIO_BLK_OUT, 500, pages, 2, &written), VIRTIO_BLK_OK);
		check_equal(written, 1);
		check(disk[499][511] == (uint8_t)499 && disk[500][0] == 0x77);
		check(disk[502][511] == 0x77 && disk[503][0] == (uint8_t)503);
		check_equal(run(VIRTIO_BLK_FLUSH, 0, pages, 0, &written), VIRTIO_BLK_OK);
		check_equal(flushes, 1);
		check_equal(run(VIRTIO_BLK_GET_ID, 0, pages, 1, &written), VIRTIO_BLK_OK);
		check(written == 21 && memcmp(ram + PAGES, "a disk\0\0", 8) == 0);
		check(ram[PAGES + 19] == 0 && ram[PAGES + 20] == 0x77);
	}
}

static void test_ranges(void) {
	const struct driver_buffer page = {PAGES, sizeof(struct virtio_blk_range)};
	struct virtio_blk_range *range = driver_at(&driver, PAGES);
	uint32_t written;

	start(&plain);
	*range = (struct virtio_blk_range){20, 30, VIRTIO_BLK_UNMAP};
	check_equal(run(VIRTIO_BLK_WRITE_ZEROES, 0, &page, 1, &written), VIRTIO_BLK_OK);
	check(disk[19][0] == 19 && disk[20][0] == 0 && disk[49][511] == 0 && disk[50][0] == 50);
	check_equal(run(VIRTIO_BLK_DISCARD, 0, &page, 1, &written), VIRTIO_BLK_UNSUPP);
	range->flags = 0;
	check_equal(run(VIRTIO_BLK_DISCARD, 0, &page, 1, &written), VIRTIO_BLK_OK);
	range->flags = 2;
	check_equal(run(VIRTIO_BLK_WRITE_ZEROES, 0, &page, 1, &written), VIRTIO_BLK_UNSUPP);
	*range = (struct virtio_blk_range){SECTORS - 1, 2, 0};
	check_equal(run(VIRTIO_BLK_DISCARD, 0, &page, 1, &written), VIRTIO_BLK_IOERR);
	*range = (struct virtio_blk_range){0, 0, 0};
	check_equal(run(VIRTIO_BLK_DISCARD, 0, &page, 1, &written), VIRTIO_BLK_IOERR);
	// More ranges than offered.
	check_equal(run(VIRTIO_BLK_DISCARD, 0, &(struct driver_buffer){PAGES, 32}, 1, &written),
		VIRTIO_BLK_IOERR);
	check_equal(jobs, 2);
}

static void test_refusals(void) {
	static const struct {
		uint32_t type;
		uint64_t sector;
		struct driver_buffer page;
		enum virtio_blk_status status;
	} rows[] = {
		{VIRTIO_BLK_IN, SECTORS, {PAGES, 512}, VIRTIO_BLK_IOERR},
		{VIRTIO_BLK_IN, SECTORS - 1, {PAGES, 1024}, VIRTIO_BLK_IOERR},
		{VIRTIO_BLK_OUT, UINT64_MAX, {PAGES, 512}, VIRTIO_BLK_IOERR},
		{VIRTIO_BLK_IN, 0, {PAGES, 511}, VIRTIO_BLK_IOERR},
		{VIRTIO_BLK_IN, 0, {PAGES, 513}, VIRTIO_BLK_IOERR},
		{VIRTIO_BLK_IN, 0, {PAGES, 0}, VIRTIO_BLK_IOERR},
		{VIRTIO_BLK_GET_ID, 0, {PAGES, 19}, VIRTIO_BLK_IOERR},
		{2, 0, {PAGES, 512}, VIRTIO_BLK_UNSUPP},
		{UINT32_MAX, 0, {PAGES, 512}, VIRTIO_BLK_UNSUPP},
	};
	uint32_t written;

	start(&plain);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_equal(run(rows[i].type, rows[i].sector, &rows[i].page, 1, &written),
			rows[i].status);
		check_equal(written, 1);
	}
	check_equal(jobs, 0);
	start(&(struct variant){"read-only", ALL, false, true});
	check_equal(run(VIRTIO_BLK_OUT, 0, &rows[0].page, 1, &written), VIRTIO_BLK_IOERR);
	check_equal(run(VIRTIO_BLK_IN, 0, &rows[0].page, 1, &written), VIRTIO_BLK_OK);
	check(virtio_offered(&blk.device, 0) & (uint32_t)VIRTIO_BLK_F_RO);
	// Memory that the driver of the disk cannot reach: without copies, sectors are aligned.
	start(&plain);
	check_equal(run(VIRTIO_BLK_IN, 0, &(struct driver_buffer){PAGES + 8, 512}, 1, &written),
		VIRTIO_BLK_IOERR);
	start(&variants[1]);
	check_equal(run(VIRTIO_BLK_IN, 3, &(struct driver_buffer){PAGES + 8, 512}, 1, &written),
		VIRTIO_BLK_OK);
	check(driver.ram[PAGES + 7] == 0 && driver.ram[PAGES + 8] == 3);
	answer = BLOCK_DEVICE_ERROR;
	check_equal(run(VIRTIO_BLK_IN, 3, &rows[0].page, 1, &written), VIRTIO_BLK_IOERR);
}

// A header in pieces, and one that ends too early; a chain without a place for the answer.
static void test_framing(void) {
	struct virtio_blk_header *header = driver_at(&driver, HEADERS);
	const struct driver_buffer pieces[] = {
		{HEADERS, 5}, {HEADERS + 5, 3}, {HEADERS + 8, 8}, {PAGES, 512}, {PAGES + 512, 513}};
	uint32_t written;
	uint64_t cookie;

	start(&plain);
	*header = (struct virtio_blk_header){.type = VIRTIO_BLK_IN, .sector = 7};
	check(driver_add(queue, pieces, 3, 2, 5) && driver_kick(queue));
	check(driver_reap(queue, &cookie, &written) && cookie == 5 && written == 1025);
	check(driver.ram[PAGES + 511] == 7 && driver.ram[PAGES + 512] == 8);
	check(driver.ram[PAGES + 1024] == VIRTIO_BLK_OK);
	check(driver_add(queue, pieces, 2, 3, 5) && driver_kick(queue));
	check(driver_reap(queue, &cookie, &written) && written == 1);
	check_equal(driver.ram[PAGES + 1024], VIRTIO_BLK_IOERR);
	check(driver_add(queue, pieces, 3, 0, 5) && driver_kick(queue));
	check(blk.device.status & VIRTIO_NEEDS_RESET);
}

// More than the back end takes at once; one notification and one interrupt for all.
static void test_floods(void) {
	for (unsigned i = 0; i < VARIANTS; i++) {
		unsigned asked = 0, done = 0, before;
		uint64_t cookie;
		uint32_t written;

		check_about(variants[i].name);
		start(&variants[i]);
		before = signals;
		for (;; asked++) {
			struct driver_buffer pages[8];

			for (unsigned j = 0; j < 8; j++)
				pages[j] = (struct driver_buffer){
					MORE_PAGES + 0x400 * (asked % 32 * 8 + 7 - j), 512};
			if (!ask(asked, VIRTIO_BLK_IN, asked * 3, pages, 8)) break;
		}
		asleep = true;
		check(driver_kick(queue));
		check(!driver_reap(queue, &cookie, &written) && signals == before + 1);
		asleep = false;
		// The driver wakes up, serves what there is, and notifies.
		serve();
		check(block_server_to_notify(&server) == 1);
		blk_client_notified(&client);
		while (driver_reap(queue, &cookie, &written)) {
			check_equal(driver.ram[STATUSES + cookie], VIRTIO_BLK_OK);
			done++;
		}
		check(asked >= 12 && done == asked);
		check_equal(jobs, asked * 8);
		check_equal(driver.interrupts[0], 1);
		check(blk.device.held == 0 && blk.free == UINT64_MAX);
	}
}

// A driver that knows of no write cache has its data on the disk when a write is answered.
static void test_write_through(void) {
	const struct driver_buffer page = {PAGES, 512};
	uint32_t written;

	start(&(struct variant){"no flush", 0, false, false});
	check_equal(run(VIRTIO_BLK_OUT, 3, &page, 1, &written), VIRTIO_BLK_OK);
	check_equal(flushes, 1);
	check_equal(run(VIRTIO_BLK_IN, 3, &page, 1, &written), VIRTIO_BLK_OK);
	check_equal(flushes, 1);
	answer = BLOCK_DEVICE_ERROR;
	check_equal(run(VIRTIO_BLK_OUT, 3, &page, 1, &written), VIRTIO_BLK_IOERR);
	check_equal(flushes, 1);
	// Not negotiated.
	check_equal(run(VIRTIO_BLK_DISCARD, 0, &(struct driver_buffer){PAGES, 16}, 1, &written),
		VIRTIO_BLK_UNSUPP);
}

// While the driver of the disk uses guest memory, the guest's driver sees that a reset goes on.
static void test_reset(void) {
	const struct driver_buffer page = {PAGES, 512};
	const uint8_t *used;
	uint64_t cookie;
	uint32_t written;

	start(&plain);
	used = driver_at(&driver, queue->areas[VIRTQUEUE_DEVICE]);
	asleep = true;
	for (unsigned i = 0; i < 10; i++)
		check(ask(i, VIRTIO_BLK_IN, i, &page, 1));
	driver_kick(queue);
	virtio_set_status(&blk.device, 0);
	check(blk.device.status != 0 && blk.device.held == 10);
	virtio_set_status(&blk.device, 15);
	check(!virtio_works(&blk.device));
	asleep = false;
	serve();
	blk_client_notified(&client);
	check(blk.device.status == 0 && blk.device.held == 0);
	check(used[2] == 0 && driver.ram[STATUSES] == 0xee);
	driver_start(&driver, &blk.device, VIRTIO_F_VERSION_1);
	queue = driver_open(&driver, 0, 64);
	driver_ok(&driver);
	check_equal(run(VIRTIO_BLK_IN, 9, &page, 1, &written), VIRTIO_BLK_OK);
	check(!driver_reap(queue, &cookie, &written));
}

// A driver of the disk that answers anything.
static void test_hostile_driver(void) {
	const struct driver_buffer page = {PAGES, 512};
	struct block_end end;
	struct block_request request;
	uint64_t random = 7, cookie;
	unsigned done = 0;
	uint32_t written;

	start(&plain);
	asleep = true;
	check(block_serve(&end, &shared));
	for (unsigned round = 0; round < 20000; round++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		(void)ask(round % 64, VIRTIO_BLK_IN, round % SECTORS, &page, 1);
		driver_kick(queue);
		if (ring_get(&end.requests, &request) && random >> 58 == 0)
			request.tag ^= random >> 40 & 0xff;
		(void)ring_put(&end.completions,
			(&(struct block_completion){
				request.tag, (uint32_t)(random >> 33) % 9, (uint32_t)random}));
		if (round % 3 == 0) blk_client_notified(&client);
		done += driver_reap(queue, &cookie, &written);
		check(!(blk.device.status & VIRTIO_NEEDS_RESET));
	}
	check(done > 1000);
}

static const struct test tests[] = {
	{"blk-reads-and-writes", "Sectors go between disk and guest, with copies and without",
		test_reads_and_writes},
	{"blk-ranges", "Sectors are discarded and zeroed", test_ranges},
	{"blk-refusals", "What is wrong is answered, and does not reach the disk", test_refusals},
	{"blk-framing",
		"Buffers may begin and end anywhere; without one for the answer the device "
		"needs a reset",
		test_framing},
	{"blk-floods", "All requests of a full ring are done, however small the back end",
		test_floods},
	{"blk-write-through", "Without FLUSH a write is answered when it is on the disk",
		test_write_through},
	{"blk-reset", "A reset is complete when the last request has left the back end",
		test_reset},
	{"blk-hostile-driver", "A driver of the disk that answers anything does no harm",
		test_hostile_driver},
};

int main(void) { return check_run(tests, sizeof(tests) / sizeof(tests[0])); }
