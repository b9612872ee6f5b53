// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the balloon device.
#include "../check.h"

#include "virtio_driver.h"

#include <vmm/virtio/balloon.h>

#include <string.h>

enum { OUT = 0x2000, PAGES = DRIVER_RAM >> 12 };

static struct balloon balloon;
static struct driver driver;
static struct driver_queue *queues[BALLOON_QUEUES];
static uint8_t away[PAGES]; // 1: the guest has given the page

static void mark(uint8_t *bytes, uint64_t length, uint8_t value) {
	memset(away + (bytes - driver.ram) / 4096, value, length / 4096);
}

static void given(void *, uint8_t *bytes, uint64_t length) { mark(bytes, length, 1); }

static void taken_back(void *, uint8_t *bytes, uint64_t length) { mark(bytes, length, 0); }

static void start(uint64_t features) {
	memset(&balloon, 0, sizeof(balloon));
	memset(away, 0, sizeof(away));
	balloon.given = given;
	balloon.taken_back = taken_back;
	balloon_init(&balloon);
	driver_start(&driver, &balloon.device, features | VIRTIO_F_VERSION_1);
	for (unsigned i = 0; i < BALLOON_QUEUES; i++)
		queues[i] = driver_open(&driver, i, 16);
	driver_ok(&driver);
}

static void list(unsigned queue, const uint32_t *numbers, uint32_t count) {
	const struct driver_buffer buffer = {OUT, count * 4};
	uint64_t cookie;
	uint32_t written;

	memcpy(driver_at(&driver, OUT), numbers, count * 4);
	check(driver_add(queues[queue], &buffer, 1, 0, 0) && driver_kick(queues[queue]));
	check(driver_reap(queues[queue], &cookie, &written) && written == 0);
}

static void test_pages(void) {
	const uint32_t some[] = {300, 7, PAGES - 1, PAGES, UINT32_MAX};
	uint32_t many[150];
	uint32_t pages;

	start(0);
	list(0, some, 5);
	check(away[300] && away[7] && away[PAGES - 1] && !away[8]);
	check(balloon.pages_given == 3 && balloon.pages_refused == 2);
	list(1, some + 1, 1);
	check(!away[7] && away[300] && balloon.pages_taken_back == 1);
	for (unsigned i = 0; i < 150; i++)
		many[i] = 20 + i;
	list(0, many, 150);
	check(!away[19] && away[20] && away[169] && !away[170]);
	balloon_ask(&balloon, 1000);
	virtio_config_read(&balloon.device, 0, &pages, 4);
	check(pages == 1000 && driver.config_interrupts == 1);
	virtio_config_write(&balloon.device, 4, &(uint32_t){900}, 4);
	virtio_config_write(&balloon.device, 0, &(uint32_t){1}, 4);
	check(balloon_pages(&balloon) == 900 && balloon.config.num_pages == 1000);
	virtio_set_status(&balloon.device, 0);
	check_equal(balloon_pages(&balloon), 0);
}

// One that names pages again and again would take the monitor a long time.
static void test_long_list(void) {
	const struct driver_buffer buffers[] = {{0, PAGES * 2}, {0, PAGES * 2 + 4}};

	start(0);
	check(driver_add(queues[0], buffers, 1, 0, 0) && driver_kick(queues[0]));
	check(virtio_works(&balloon.device));
	check(driver_add(queues[0], buffers, 2, 0, 1));
	driver_kick(queues[0]);
	check(!virtio_works(&balloon.device));
	check_equal(balloon.pages_given + balloon.pages_refused, PAGES / 2);
}

static void reports(unsigned queue) {
	const struct driver_buffer buffers[] = {{0x40000, 0x10000}, {0x80000, 0x1000}};
	uint64_t cookie;
	uint32_t written;

	check(driver_add(queues[queue], buffers, 0, 2, 0) && driver_kick(queues[queue]));
	check(driver_reap(queues[queue], &cookie, &written));
	check(balloon.pages_reported == 17 && away[0x40] && away[0x4f] && away[0x80]);
	check(!away[0x50] && !away[0x81]);
}

static void test_reports(void) {
	const struct driver_buffer statistics = {OUT, 100};
	uint64_t cookie;
	uint32_t written;

	start(UINT64_MAX & ~VIRTIO_F_RING_PACKED);
	reports(4);
	check(driver_add(queues[2], &statistics, 1, 0, 0));
	driver_kick(queues[2]);
	check(!driver_reap(queues[2], &cookie, &written)); // kept until they are asked for
	// A driver that has no other queues numbers it 2.
	start(VIRTIO_BALLOON_F_PAGE_REPORTING);
	reports(2);
}

static const struct test tests[] = {
	{"balloon-pages", "Pages go and come back; numbers outside RAM are counted", test_pages},
	{"balloon-long-list", "A list of more pages than the guest has breaks the device",
		test_long_list},
	{"balloon-reports", "Free memory is reported, wherever the driver has the queue",
		test_reports},
};

int main(void) { return check_run(tests, sizeof(tests) / sizeof(tests[0])); }
