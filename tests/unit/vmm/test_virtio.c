// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of a virtio device's status, features and configuration, of drivers that break the
// rules, and of the entropy device.
#include "../check.h"

#include "virtio_driver.h"

#include <vmm/virtio/rng.h>

#include <string.h>

static struct rng rng;
static struct driver driver;
static struct driver_queue *queue;

static bool failed; // the source of randomness

static bool fill(void *context, uint8_t *bytes, uint32_t length) {
	if (!failed) memset(bytes, *(uint8_t *)context, length);
	return !failed;
}

static uint8_t pattern = 0xa5;

static void start(uint64_t features) {
	memset(&rng, 0, sizeof(rng));
	rng.context = &pattern;
	rng.fill = fill;
	rng_init(&rng);
	driver_start(&driver, &rng.device, features | VIRTIO_F_VERSION_1);
	queue = driver_open(&driver, 0, 8);
	driver_ok(&driver);
}

static bool broken(void) { return rng.device.status & VIRTIO_NEEDS_RESET; }

static struct virtq_split_descriptor *table(void) {
	return driver_at(&driver, queue->areas[VIRTQUEUE_DESCRIPTORS]);
}

// A chain that begins at the descriptor becomes available in a split ring.
static void offer(uint16_t head) {
	uint16_t *ring = driver_at(&driver, queue->areas[VIRTQUEUE_DRIVER]);

	ring[2 + ring[1] % queue->size] = head;
	ring[1]++;
	virtio_notify(&rng.device, 0);
}

struct place {
	unsigned number;
	struct virtq_split_descriptor descriptor;
};

enum { TABLE = 0x8000, PLACES = 3 };

// What a driver must not do in a split ring. Numbers from 100 on are places of the table.
static const struct {
	const char *what;
	uint16_t head;
	struct place places[PLACES];
} split_cases[] = {
	{"head outside", 8, {{0}}},
	{"head far outside", 0xffff, {{0}}},
	{"next outside", 0, {{0, {4096, 16, VIRTQ_NEXT, 8}}}},
	{"loop of one", 0, {{0, {4096, 16, VIRTQ_NEXT, 0}}}},
	{"loop of two", 0, {{0, {4096, 16, VIRTQ_NEXT, 1}}, {1, {4096, 16, VIRTQ_NEXT, 0}}}},
	{"outside RAM", 0, {{0, {DRIVER_RAM, 1, VIRTQ_WRITE, 0}}}},
	{"out of RAM", 0, {{0, {DRIVER_RAM - 16, 17, VIRTQ_WRITE, 0}}}},
	{"huge length", 0, {{0, {4096, UINT32_MAX, VIRTQ_WRITE, 0}}}},
	{"wraps", 0, {{0, {UINT64_MAX - 7, 16, VIRTQ_WRITE, 0}}}},
	{"readable after writable", 0,
		{{0, {4096, 16, VIRTQ_NEXT | VIRTQ_WRITE, 1}}, {1, {4096, 16, 0, 0}}}},
	{"empty table", 0, {{0, {TABLE, 0, VIRTQ_INDIRECT, 0}}}},
	{"half a descriptor", 0, {{0, {TABLE, 8, VIRTQ_INDIRECT, 0}}}},
	{"one and a bit", 0, {{0, {TABLE, 17, VIRTQ_INDIRECT, 0}}, {100, {4096, 16, 2, 0}}}},
	{"table outside RAM", 0, {{0, {DRIVER_RAM - 16, 32, VIRTQ_INDIRECT, 0}}}},
	{"huge table", 0, {{0, {TABLE, 0xfffffff0, VIRTQ_INDIRECT, 0}}}},
	{"table and more", 0,
		{{0, {TABLE, 16, VIRTQ_INDIRECT | VIRTQ_NEXT, 1}}, {1, {4096, 16, 2, 0}},
			{100, {4096, 16, VIRTQ_WRITE, 0}}}},
	{"table in a table", 0,
		{{0, {TABLE, 32, VIRTQ_INDIRECT, 0}}, {100, {TABLE, 32, VIRTQ_INDIRECT, 0}}}},
	{"loop in a table", 0,
		{{0, {TABLE, 32, VIRTQ_INDIRECT, 0}}, {100, {4096, 16, VIRTQ_NEXT, 0}}}},
	{"next outside a table", 0,
		{{0, {TABLE, 32, VIRTQ_INDIRECT, 0}}, {100, {4096, 16, VIRTQ_NEXT, 2}}}},
	{"writable and readable in a table", 0,
		{{0, {TABLE, 32, VIRTQ_INDIRECT, 0}},
			{100, {4096, 16, VIRTQ_WRITE | VIRTQ_NEXT, 1}}, {101, {4096, 16, 0, 0}}}},
};

static void write_places(const struct place *places) {
	struct virtq_split_descriptor *indirect = driver_at(&driver, TABLE);

	for (unsigned i = 0; i < PLACES; i++) {
		unsigned number = places[i].number;

		if (number >= 100)
			indirect[number - 100] = places[i].descriptor;
		else if (places[i].descriptor.address != 0)
			table()[number] = places[i].descriptor;
	}
}

static void check_broken(void) {
	const uint16_t *used = driver_at(&driver, queue->areas[VIRTQUEUE_DEVICE]);

	check(broken());
	check_equal(driver.config_interrupts, 1);
	check_equal(driver.interrupts[0], 0);
	check_equal(used[1], 0);
	// Nothing more is done, whatever else there is.
	table()[2] = (struct virtq_split_descriptor){4096, 16, VIRTQ_WRITE, 0};
	offer(2);
	check(used[1] == 0 && driver.config_interrupts == 1);
	virtio_set_status(&rng.device, 0);
	check(!broken() && !rng.queue.enabled);
}

static void test_split_rules(void) {
	for (unsigned i = 0; i < sizeof(split_cases) / sizeof(split_cases[0]); i++) {
		check_about(split_cases[i].what);
		start(VIRTIO_F_INDIRECT_DESC);
		write_places(split_cases[i].places);
		offer(split_cases[i].head);
		check_broken();
	}
}

static void test_more_rules(void) {
	uint16_t *ring;

	check_about("an index that jumps");
	start(0);
	ring = driver_at(&driver, queue->areas[VIRTQUEUE_DRIVER]);
	ring[1] = 9;
	virtio_notify(&rng.device, 0);
	check_broken();

	check_about("a table that was not negotiated");
	start(0);
	write_places((struct place[PLACES]){
		{0, {TABLE, 16, VIRTQ_INDIRECT, 0}}, {100, {4096, 16, VIRTQ_WRITE, 0}}});
	offer(0);
	check_broken();

	check_about("a chain longer than any");
	start(VIRTIO_F_INDIRECT_DESC);
	table()[0] = (struct virtq_split_descriptor){TABLE, 129 * 16, VIRTQ_INDIRECT, 0};
	for (unsigned i = 0; i < 129; i++)
		((struct virtq_split_descriptor *)driver_at(
			&driver, TABLE))[i] = (struct virtq_split_descriptor){
			4096, 1, VIRTQ_NEXT | VIRTQ_WRITE, (uint16_t)(i + 1)};
	offer(0);
	check_broken();
}

// Lengths of 0, and everything as large as it may be.
static void test_allowed(void) {
	struct virtq_split_descriptor *places;
	uint64_t cookie;
	uint32_t written;

	start(VIRTIO_F_INDIRECT_DESC);
	places = driver_at(&driver, TABLE);
	table()[0] = (struct virtq_split_descriptor){TABLE, 128 * 16, VIRTQ_INDIRECT, 0};
	for (unsigned i = 0; i < 128; i++)
		places[i] = (struct virtq_split_descriptor){
			4096, i % 2, VIRTQ_NEXT | VIRTQ_WRITE, (uint16_t)(i + 1)};
	places[127].flags = VIRTQ_WRITE;
	queue->busy[0] = true;
	queue->places[0] = 1;
	offer(0);
	check(driver_reap(queue, &cookie, &written));
	check_equal(written, 64);
	check(!broken());
}

static void test_packed_rules(void) {
	static const struct {
		const char *what;
		struct virtq_packed_descriptor descriptors[8];
	} cases[] = {
		{"outside RAM", {{DRIVER_RAM, 1, 0, VIRTQ_WRITE}}},
		{"wraps", {{UINT64_MAX - 7, 16, 0, VIRTQ_WRITE}}},
		{"longer than the ring",
			{{4096, 1, 0, VIRTQ_NEXT}, {4096, 1, 0, VIRTQ_NEXT},
				{4096, 1, 0, VIRTQ_NEXT}, {4096, 1, 0, VIRTQ_NEXT},
				{4096, 1, 0, VIRTQ_NEXT}, {4096, 1, 0, VIRTQ_NEXT},
				{4096, 1, 0, VIRTQ_NEXT}, {4096, 1, 0, VIRTQ_NEXT}}},
		{"readable after writable",
			{{4096, 1, 0, VIRTQ_NEXT | VIRTQ_WRITE}, {4096, 1, 0, 0}}},
		{"empty table", {{TABLE, 0, 0, VIRTQ_INDIRECT}}},
		{"half a descriptor", {{TABLE, 8, 0, VIRTQ_INDIRECT}}},
		{"table outside RAM", {{DRIVER_RAM - 16, 32, 0, VIRTQ_INDIRECT}}},
		{"huge table", {{TABLE, 0x10000, 0, VIRTQ_INDIRECT}}},
		{"table and more", {{TABLE, 16, 0, VIRTQ_INDIRECT | VIRTQ_NEXT}, {4096, 1, 0, 0}}},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct virtq_packed_descriptor *places;

		check_about(cases[i].what);
		start(VIRTIO_F_RING_PACKED | VIRTIO_F_INDIRECT_DESC);
		// All of the table's buffers are one byte of RAM.
		places = driver_at(&driver, TABLE);
		for (unsigned j = 0; j < 0x1000; j++)
			places[j] = (struct virtq_packed_descriptor){4096, 1, 0, VIRTQ_WRITE};
		places = driver_at(&driver, queue->areas[VIRTQUEUE_DESCRIPTORS]);
		for (unsigned j = 0; j < 8; j++) {
			places[j] = cases[i].descriptors[j];
			if (places[j].address != 0) places[j].flags |= VIRTQ_AVAIL;
		}
		virtio_notify(&rng.device, 0);
		check(broken());
		check_equal(driver.config_interrupts, 1);
		check_equal(driver.interrupts[0], 0);
		virtio_set_status(&rng.device, 0);
		check(!broken());
	}
}

// Rings that cannot be where the driver wants them.
static void test_bad_rings(void) {
	static const struct {
		uint64_t features;
		enum virtqueue_area area;
		uint64_t address;
		uint16_t size;
		bool wrong;
	} cases[] = {
		{0, VIRTQUEUE_DESCRIPTORS, 0x10008, 8, true},
		{0, VIRTQUEUE_DESCRIPTORS, DRIVER_RAM - 112, 8, true},
		{0, VIRTQUEUE_DESCRIPTORS, DRIVER_RAM - 128, 8, false},
		{0, VIRTQUEUE_DESCRIPTORS, 0xfffffffffffffff0, 8, true},
		{0, VIRTQUEUE_DRIVER, 0x10001, 8, true},
		{0, VIRTQUEUE_DRIVER, DRIVER_RAM - 20, 8, true},
		{0, VIRTQUEUE_DRIVER, DRIVER_RAM - 22, 8, false},
		{0, VIRTQUEUE_DEVICE, 0x10002, 8, true},
		{0, VIRTQUEUE_DEVICE, DRIVER_RAM - 68, 8, true},
		{0, VIRTQUEUE_DESCRIPTORS, 0x10000, 7, true},
		{VIRTIO_F_RING_PACKED, VIRTQUEUE_DESCRIPTORS, 0x10000, 7, false},
		{VIRTIO_F_RING_PACKED, VIRTQUEUE_DRIVER, 0x10002, 8, true},
		{VIRTIO_F_RING_PACKED, VIRTQUEUE_DEVICE, DRIVER_RAM - 4, 8, false},
		{VIRTIO_F_RING_PACKED, VIRTQUEUE_DEVICE, DRIVER_RAM, 8, true},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(0);
		virtio_set_status(&rng.device, 0);
		virtqueue_enable(&rng.queue);
		check(!rng.queue.enabled && !broken());
		driver_start(&driver, &rng.device, VIRTIO_F_VERSION_1 | cases[i].features);
		for (unsigned j = 0; j < VIRTQUEUE_AREAS; j++)
			virtqueue_set_address(
				&rng.queue, (enum virtqueue_area)j, 0x20000 + 0x1000 * j);
		virtqueue_set_address(&rng.queue, cases[i].area, cases[i].address);
		virtqueue_set_size(&rng.queue, cases[i].size);
		virtqueue_set_size(&rng.queue, 0);
		virtqueue_set_size(&rng.queue, 65);
		virtqueue_enable(&rng.queue);
		check_equal(broken(), cases[i].wrong);
		check_equal(rng.queue.enabled, !cases[i].wrong);
		virtqueue_set_size(&rng.queue, 4);
		check_equal(rng.queue.size, cases[i].wrong ? 4 : cases[i].size);
	}
}

static void test_status(void) {
	struct virtio_device *device = &rng.device;

	start(0);
	check_equal(device->status, 15);
	virtio_set_status(device, VIRTIO_ACKNOWLEDGE); // bits are not taken away
	check_equal(device->status, 15);
	virtio_accept(device, 0, UINT32_MAX); // too late
	check_equal(virtio_accepted(device, 0), 0);
	virtio_set_status(device, 0);
	check(device->status == 0 && virtio_accepted(device, 1) == 0);
	virtio_set_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_NEEDS_RESET);
	check_equal(device->status, 3);
	virtio_set_status(device, 3 | VIRTIO_FEATURES_OK); // without VERSION_1
	check_equal(device->status, 3);
	virtio_accept(device, 1, 1 | 1u << 31); // not offered
	virtio_set_status(device, 3 | VIRTIO_FEATURES_OK);
	check_equal(device->status, 3);
	virtio_set_status(device, 3 | VIRTIO_DRIVER_OK); // before FEATURES_OK
	check_equal(device->status, 3);
	virtio_accept(device, 1, 1);
	virtio_accept(device, 2, 1);
	check(virtio_accepted(device, 2) == 0 && virtio_offered(device, 2) == 0);
	virtio_set_status(device, 3 | VIRTIO_FEATURES_OK);
	check_equal(device->status, 11);
	virtio_set_status(device, 11 | VIRTIO_FAILED);
	check_equal(device->status, 139);
	check(!virtio_queue(device, 1) && virtio_queue(device, 0) == &rng.queue);
	virtio_notify(device, 0); // not enabled
	virtio_notify(device, UINT32_MAX);
}

static void test_entropy(void) {
	struct driver_buffer buffers[] = {{4096, 100}, {8192, 3}, {16384, 1000}};
	const uint8_t *bytes;
	uint64_t cookie;
	uint32_t written;

	start(0);
	bytes = driver_at(&driver, 0);
	check(driver_add(queue, buffers, 1, 2, 1) && driver_add(queue, buffers, 1, 0, 2));
	check(driver_add(queue, buffers + 1, 0, 1, 3) && driver_kick(queue));
	check(driver_reap(queue, &cookie, &written) && cookie == 1 && written == 256);
	check(driver_reap(queue, &cookie, &written) && cookie == 2 && written == 0);
	check(driver_reap(queue, &cookie, &written) && cookie == 3 && written == 3);
	check(bytes[4096] == 0 && bytes[8191] == 0 && bytes[8192] == 0xa5 && bytes[8195] == 0);
	check(bytes[16384 + 252] == 0xa5 && bytes[16384 + 253] == 0);
	check_equal(driver.interrupts[0], 1);
	failed = true;
	check(driver_add(queue, buffers, 0, 1, 4) && driver_kick(queue));
	check(broken() && !driver_reap(queue, &cookie, &written));
	failed = false;
}

static const struct test tests[] = {
	{"virtio-split-rules",
		"A driver that breaks a rule of split rings has a broken device, until "
		"it resets it",
		test_split_rules},
	{"virtio-more-rules",
		"So has one that lets an index jump, uses what it did not negotiate, or "
		"makes too long chains",
		test_more_rules},
	{"virtio-allowed", "Buffers of length 0 and the longest chain are allowed", test_allowed},
	{"virtio-packed-rules", "The same for packed rings", test_packed_rules},
	{"virtio-bad-rings", "Rings must be aligned, in RAM, and of a size that they can have",
		test_bad_rings},
	{"virtio-status", "The status goes the way of 3.1 only, with features that were offered",
		test_status},
	{"virtio-entropy",
		"The entropy device fills what is writable, or is broken as its source is",
		test_entropy},
};

int main(void) { return check_run(tests, sizeof(tests) / sizeof(tests[0])); }
