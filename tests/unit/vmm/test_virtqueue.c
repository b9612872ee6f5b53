// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of virtqueues, by a device that returns what it reads.
#include "../check.h"

#include "virtio_driver.h"

#include <stdlib.h>
#include <string.h>

// An echo: copies the readable part of each chain into the writable one, at once or when the test
// says so.
struct echo {
	struct virtio_device device;
	struct virtqueue queues[2];
	struct virtio_chain chain;
	bool hold; // keep chains until the test puts them
	unsigned taken;
	struct virtqueue_token held[256];
	unsigned notifications, starts, resets;
	uint8_t config[16];
};

static struct echo echo;
static struct driver driver;

static void echo_reset(struct virtio_device *) { echo.resets++; }

static void echo_started(struct virtio_device *) { echo.starts++; }

static void echo_configured(struct virtio_device *) { echo.config[15]++; }

static void echo_notified(struct virtio_device *, struct virtqueue *queue) {
	uint8_t bytes[4096];

	echo.notifications++;
	while (virtqueue_take(queue, &echo.chain)) {
		uint32_t length = virtio_chain_read(&echo.chain, 0, bytes, sizeof(bytes));

		length = virtio_chain_write(&echo.chain, 0, bytes, length);
		if (echo.hold)
			echo.held[echo.taken % 256] = echo.chain.token;
		else
			virtqueue_put(queue, echo.chain.token, length);
		echo.taken++;
	}
	virtqueue_signal(queue);
}

static const struct virtio_ops ops = {
	.name = "echo",
	.id = 42,
	.writable = 4,
	.writable_end = 6,
	.reset = echo_reset,
	.started = echo_started,
	.configured = echo_configured,
	.notified = echo_notified,
};

static const uint64_t formats[] = {
	0,
	VIRTIO_F_EVENT_IDX,
	VIRTIO_F_INDIRECT_DESC,
	VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC,
	VIRTIO_F_RING_PACKED,
	VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX,
	VIRTIO_F_RING_PACKED | VIRTIO_F_INDIRECT_DESC,
	VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC,
};
static const char *const names[] = {"split", "split, event index", "split, indirect",
	"split, event index, indirect", "packed", "packed, event index", "packed, indirect",
	"packed, event index, indirect"};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]), PACKED = 4 };

static struct driver_queue *start(uint64_t features, unsigned size) {
	struct driver_queue *queue;

	memset(&echo, 0, sizeof(echo));
	echo.device.ops = &ops;
	echo.device.queues = echo.queues;
	echo.device.queue_count = 2;
	echo.device.config = echo.config;
	echo.device.config_size = sizeof(echo.config);
	echo.queues[0].maximum = 256;
	echo.queues[1].maximum = 8;
	driver_start(&driver, &echo.device, features | VIRTIO_F_VERSION_1);
	queue = driver_open(&driver, 0, size);
	driver_ok(&driver);
	return queue;
}

static bool broken(void) { return echo.device.status & VIRTIO_NEEDS_RESET; }

static unsigned seed;

static unsigned chance(unsigned limit) {
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % limit;
}

// A random chain whose buffers follow each other in RAM.
static bool add_random(struct driver_queue *queue, uint64_t base, uint64_t cookie) {
	struct driver_buffer buffers[8];
	unsigned readable = 1 + chance(3), writable = 1 + chance(3);

	for (unsigned i = 0; i < readable + writable; i++, base += 64)
		buffers[i] = (struct driver_buffer){base, 1 + chance(64)};
	memcpy(driver_at(&driver, buffers[0].address), &cookie, 1);
	return driver_add(queue, buffers, readable, writable, cookie);
}

// Many laps, more than an index has values; the rings are of a size that is odd for the chains, and
// for packed ones of any.
static void test_laps(void) {
	for (unsigned i = 0; i < FORMATS; i++) {
		struct driver_queue *queue = start(formats[i], i >= PACKED ? 21 : 16);
		uint64_t base = driver_allocate(&driver, 32 * 512, 64);
		uint64_t expected = 0, cookie, sent = 0;
		uint32_t written;

		check_about(names[i]);
		for (unsigned round = 0; round < 300000; round++) {
			if (chance(2)) sent += add_random(queue, base + sent % 32 * 512, sent);
			if (chance(3) == 0) driver_kick(queue);
			while (chance(4) && driver_reap(queue, &cookie, &written)) {
				check_equal(cookie, expected++);
				check(written > 0);
			}
		}
		driver_kick(queue);
		while (driver_reap(queue, &cookie, &written))
			check_equal(cookie, expected++);
		check(expected == sent && sent > 70000 && !broken());
		check_equal(echo.taken, sent);
	}
}

// Chains come back in any order.
static void test_any_order(void) {
	for (unsigned i = 0; i < FORMATS; i++) {
		struct driver_queue *queue = start(formats[i], 64);
		uint64_t base = driver_allocate(&driver, 64 * 512, 64);
		uint64_t cookie, expected[64];
		uint32_t written;
		unsigned count = 0;

		check_about(names[i]);
		echo.hold = true;
		for (unsigned round = 0; round < 2000; round++) {
			for (count = 0; add_random(queue, base + count * 512, count);)
				count++;
			virtio_notify(&echo.device, 0);
			check_equal(echo.taken, count);
			for (unsigned j = 0; j < count; j++)
				expected[j] = j;
			for (unsigned left = count; left > 0; left--) {
				unsigned pick = chance(left);
				struct virtqueue_token token = echo.held[pick];
				uint64_t number = expected[pick];

				virtqueue_put(&echo.queues[0], token, 1);
				virtqueue_signal(&echo.queues[0]);
				echo.held[pick] = echo.held[left - 1];
				expected[pick] = expected[left - 1];
				check(driver_reap(queue, &cookie, &written) && cookie == number);
			}
			echo.taken = 0;
		}
		check(!driver_reap(queue, &cookie, &written) && !broken());
	}
}

// One notification starts a batch, one interrupt ends it.
static void test_events(void) {
	for (unsigned i = 0; i < FORMATS; i++) {
		struct driver_queue *queue = start(formats[i], 32);
		struct driver_buffer buffers[2] = {{4096, 16}, {8192, 16}};
		uint64_t cookie;
		uint32_t written;

		check_about(names[i]);
		for (unsigned round = 0; round < 1000; round++) {
			unsigned before = driver.interrupts[0], calls = echo.notifications;

			driver_ask(queue);
			for (unsigned j = 0; j < 5; j++)
				check(driver_add(queue, buffers, 1, 1, j));
			check(driver_kick(queue) && !driver_kick(queue));
			check_equal(driver.interrupts[0], before + 1);
			check_equal(echo.notifications, calls + 1);
			while (driver_reap(queue, &cookie, &written))
				check_equal(written, 16);
			driver_refuse(queue);
			check(driver_add(queue, buffers, 1, 1, 9) && driver_kick(queue));
			// An index that is not moved on is a refusal.
			check_equal(driver.interrupts[0], before + 1);
			check(driver_reap(queue, &cookie, &written) && cookie == 9);
		}
	}
}

// A device that is at work wants no notifications; one that found nothing does.
static void test_busy(void) {
	for (unsigned i = 0; i < FORMATS; i++) {
		struct driver_queue *queue = start(formats[i], 32);
		struct virtqueue *served = &echo.queues[0];
		struct driver_buffer buffer = {4096, 16};

		check_about(names[i]);
		check(driver_add(queue, &buffer, 1, 0, 1) && driver_kick(queue));
		check(driver_add(queue, &buffer, 1, 0, 2) && virtqueue_take(served, &echo.chain));
		queue->unnotified = 0;
		check(driver_add(queue, &buffer, 1, 0, 3) && !driver_kick(queue));
		check(virtqueue_take(served, &echo.chain));
		check(!virtqueue_take(served, &echo.chain));
		check(driver_add(queue, &buffer, 1, 0, 4) && driver_kick(queue));
		check(echo.notifications == 3 && echo.taken == 2);
	}
}

static void test_untake(void) {
	for (unsigned i = 0; i < FORMATS; i++) {
		struct driver_queue *queue = start(formats[i], i >= PACKED ? 7 : 8);
		struct driver_buffer buffers[3] = {{4096, 16}, {8192, 16}, {12288, 16}};
		struct virtqueue_token first;
		uint64_t cookie;
		uint32_t written;

		check_about(names[i]);
		for (unsigned round = 0; round < 100; round++) {
			check(driver_add(queue, buffers, 1, 1, 1));
			check(driver_add(queue, buffers, 2, 1, 2));
			check(virtqueue_take(&echo.queues[0], &echo.chain));
			first = echo.chain.token;
			check(virtqueue_take(&echo.queues[0], &echo.chain));
			virtqueue_untake(&echo.queues[0], echo.chain.token);
			virtqueue_untake(&echo.queues[0], first);
			echo_notified(&echo.device, &echo.queues[0]);
			check(driver_reap(queue, &cookie, &written) && cookie == 1);
			check(driver_reap(queue, &cookie, &written) && cookie == 2);
		}
		check(!broken());
	}
}

static void test_copies(void) {
	struct driver_queue *queue = start(0, 8);
	struct driver_buffer buffers[4] = {{4096, 3}, {5000, 5}, {6000, 4}, {7000, 100}};
	uint8_t bytes[16] = {0};

	memcpy(driver_at(&driver, 4096), "abc", 3);
	memcpy(driver_at(&driver, 5000), "defgh", 5);
	check(driver_add(queue, buffers, 2, 2, 0) && virtqueue_take(&echo.queues[0], &echo.chain));
	check(echo.chain.readable == 2 && echo.chain.writable == 2);
	check(echo.chain.readable_bytes == 8 && echo.chain.writable_bytes == 104);
	check_equal(virtio_chain_read(&echo.chain, 2, bytes, 16), 6);
	check(memcmp(bytes, "cdefgh", 6) == 0);
	check_equal(virtio_chain_read(&echo.chain, 8, bytes, 16), 0);
	check_equal(virtio_chain_write(&echo.chain, 3, "xyz", 3), 3);
	check(memcmp(driver_at(&driver, 6003), "x", 1) == 0);
	check(memcmp(driver_at(&driver, 7000), "yz\0", 3) == 0);
	check_equal(virtio_chain_write(&echo.chain, 103, "xyz", 3), 1);
}

static void test_config(void) {
	struct virtio_device *device = &echo.device;
	uint64_t word;

	start(0, 8);
	memcpy(echo.config, "0123456789abcde", 15);
	virtio_config_read(device, 12, &word, 8); // 3 bytes, a zero, and four outside
	check_equal(word, 0x656463);
	virtio_config_write(device, 2, "ABCDEF", 6); // two of them are writable
	check(memcmp(echo.config, "0123CD6789abcde\1", 16) == 0);
	virtio_config_write(device, UINT64_MAX - 1, "ABCDEFGH", 8);
	virtio_config_write(device, 6, "A", 1);
	check(echo.config[6] == '6' && echo.config[0] == '0' && echo.config[15] == 1);
	virtio_config_changed(device);
	check(driver.config_interrupts == 1 && device->generation == 1);
	virtio_set_status(device, 0);
	virtio_config_changed(device); // without a driver nothing is interrupted
	check(driver.config_interrupts == 1 && device->generation == 2);
	check(echo.starts == 1 && echo.resets == 2);
}

static const struct test tests[] = {
	{"virtqueue-laps",
		"Chains of any size come back through split and packed rings, with "
		"tables and without, lap after lap",
		test_laps},
	{"virtqueue-any-order", "A device may put chains in another order than it took them",
		test_any_order},
	{"virtqueue-events", "A batch costs one notification and one interrupt, or none",
		test_events},
	{"virtqueue-busy", "A device that works is not notified; one that found nothing is",
		test_busy},
	{"virtqueue-untake", "What was put back is taken again", test_untake},
	{"virtqueue-config", "The driver reads the configuration and writes what it may",
		test_config},
	{"virtqueue-copies", "Copies cross the borders of segments and end with the chain",
		test_copies},
};

int main(void) { return check_run(tests, sizeof(tests) / sizeof(tests[0])); }
