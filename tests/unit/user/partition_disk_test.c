// SPDX-License-Identifier: BSD-2-Clause
// The partition service's requests at the disk's driver, and the driver's answers, right and wrong.
#include "test.h"

#include <services/partition/disk.h>

#include <stdlib.h>
#include <string.h>

static struct disk disk;
static struct block_end driver;
static struct block_queue *queue;

static void open_disk(uint64_t first_tag) {
	if (first_tag == 1000) {
		free(queue);
		queue = aligned_alloc(RING_LINE, sizeof(*queue));
		memset(queue, 0, sizeof(*queue));
		check(block_serve(&driver, queue));
	}
	check(disk_open(&disk, queue, first_tag));
}

static void send_one(uint64_t sector) {
	struct block_request request = {.sector = sector, .count = 1, .kind = BLOCK_READ};

	check(disk_has_room(&disk));
	disk_send(&disk, &request, &(struct disk_request){.job = {.sector = sector}});
}

static void answer_one(uint64_t tag, uint32_t status) {
	const struct block_completion completion = {tag, status, 1};

	check(ring_put(&driver.completions, &completion));
}

static bool ends(uint64_t sector, enum block_status status) {
	struct disk_request ended;

	while (disk_receive(&disk)) {
	}
	return disk_next(&disk, &ended) && ended.job.sector == sector && ended.status == status;
}

static void under_way(void) {
	struct disk_request ended;
	struct block_request request;

	open_disk(1000);
	for (unsigned i = 0; i < 3; i++)
		send_one(70 + i);
	check(disk_must_notify(&disk) && !disk_must_notify(&disk));
	check(ring_get(&driver.requests, &request) && request.tag == 1000 && request.sector == 70);
	answer_one(1002, BLOCK_OK); // out of order: waits for those before it
	check(!ends(0, BLOCK_OK));
	answer_one(1000, 99); // no such status
	answer_one(1001, BLOCK_TIME_OUT);
	check(ends(70, BLOCK_DEVICE_ERROR) && ends(71, BLOCK_TIME_OUT) && ends(72, BLOCK_OK));
	check(!disk_next(&disk, &ended));
	// Answers that belong to none: given before, given twice, made up.
	send_one(80);
	for (uint64_t tag = 990; tag < 1010; tag++)
		if (tag != 1003) answer_one(tag, BLOCK_DEVICE_ERROR);
	answer_one(1003, BLOCK_OK);
	answer_one(1003, BLOCK_DEVICE_ERROR);
	check(ends(80, BLOCK_OK) && !disk_next(&disk, &ended));
}

static void many_under_way(void) {
	uint64_t sent = 0;
	uint64_t ended = 0;
	struct block_request request;

	open_disk(1000);
	for (unsigned round = 0; round < 10; round++) {
		while (disk_has_room(&disk))
			send_one(sent++);
		check(sent - ended == BLOCK_CAPACITY);
		while (ring_get(&driver.requests, &request))
			answer_one(request.tag, BLOCK_OK);
		while (ended < sent)
			check(ends(ended++, BLOCK_OK));
	}
}

// A predecessor's requests are answered, but not to this one.
static void restarted(void) {
	struct disk_request ended;
	struct block_request request;

	open_disk(1000);
	send_one(1);
	send_one(2);
	open_disk(5000);
	send_one(3);
	for (uint64_t tag = 1000; tag < 1002; tag++) {
		check(ring_get(&driver.requests, &request) && request.tag == tag);
		answer_one(request.tag, BLOCK_OK);
	}
	while (disk_receive(&disk)) {
	}
	check(!disk_next(&disk, &ended));
	check(ring_get(&driver.requests, &request) && request.tag == 5000);
	answer_one(request.tag, BLOCK_OK);
	check(ends(3, BLOCK_OK));
}

static const struct test rows[] = {
	{"user/partition/answers", "requests end in their order, once each", under_way},
	{"user/partition/many", "the driver's ring is used to its end, and around it",
		many_under_way},
	{"user/partition/restart", "answers to a predecessor's requests are dropped", restarted},
};

const struct tests partition_disk_tests = {rows, array_count(rows)};
