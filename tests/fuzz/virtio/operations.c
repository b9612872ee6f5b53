// SPDX-License-Identifier: BSD-2-Clause
// What a guest's driver does to a device, by the bytes of an input.
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUEUES = 10,
	PLACES = 16,
	RINGS = 0x10000, // of the queues
	RING_BYTES = 0x2000,
	AREA_BYTES = 0x800,
	LONGEST = 8, // descriptors of a chain that is meant well
	STATUS_BEGUN = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER,
};

// The guest of the run at hand; set by fuzz_run.
static struct guest {
	uint8_t *ram;
	struct guest_memory memory;
	const struct rig *rig;
	struct virtio_device *device;
	struct {
		uint16_t index; // of a split ring
		uint16_t place; // of a packed ring
		bool wrap;
	} queues[QUEUES];
} guest;

static void fail(const char *what) {
	fprintf(stderr, "virtio %s: %s\n", guest.rig->name, what);
	abort();
}

static void ignore_queue(void *, unsigned) {}

static void ignore_config(void *) {}

static uint64_t area(unsigned queue, unsigned number) {
	return RINGS + queue * RING_BYTES + number * AREA_BYTES;
}

static void set_up(uint64_t features) {
	struct virtio_device *device = guest.device;

	memset(guest.queues, 0, sizeof(guest.queues));
	virtio_set_status(device, STATUS_BEGUN);
	for (unsigned i = 0; i < 2; i++)
		virtio_accept(
			device, i, virtio_offered(device, i) & (uint32_t)(features >> 32 * i));
	virtio_set_status(device, STATUS_BEGUN | VIRTIO_FEATURES_OK);
	for (unsigned i = 0; i < device->queue_count; i++) {
		struct virtqueue *queue = virtio_queue(device, i);

		memset(guest.ram + area(i, 0), 0, RING_BYTES);
		guest.queues[i].wrap = true;
		virtqueue_set_size(queue, PLACES);
		for (unsigned j = 0; j < VIRTQUEUE_AREAS; j++)
			virtqueue_set_address(queue, (enum virtqueue_area)j, area(i, j));
		virtqueue_enable(queue);
	}
	virtio_set_status(device, STATUS_BEGUN | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

// Resets the device; if it is at work, the back end ends that first.
static void reset(void) {
	virtio_set_status(guest.device, 0);
	if (guest.device->status != 0) guest.rig->settle();
	if (guest.device->status != 0 || guest.device->held != 0) fail("a reset does not end");
}

static uint64_t some_address(struct input *input) {
	unsigned kind = input_byte(input);

	switch (kind % 16) {
	case 0: return FUZZ_RAM - input_byte(input);
	case 1: return input_number(input, 8);
	case 2: return UINT64_MAX - input_byte(input);
	case 3: return RINGS + input_number(input, 2) % (QUEUES * RING_BYTES);
	default: return input_number(input, 2) & ~(uint64_t)(kind & 0x10 ? 0 : 0x1ff);
	}
}

static uint32_t some_length(struct input *input) {
	static const uint32_t lengths[] = {0, 1, 8, 12, 16, 20, 44, 64, 512, 513, 1024, 1526, 4096,
		0x10000, FUZZ_RAM, UINT32_MAX};
	uint8_t kind = input_byte(input);

	return kind < 0xf0 ? lengths[kind % 16] : (uint32_t)input_number(input, 4);
}

// A number that is mostly below a limit.
static uint16_t some_place(struct input *input, unsigned limit) {
	uint8_t place = input_byte(input);

	return (uint16_t)(place < 0xe0 ? place % limit : input_number(input, 2));
}

// A descriptor's bytes in a ring or a table; flags and the last word are as the format wants them.
static void write_descriptor(
	uint64_t place, struct input *input, uint16_t flags, uint16_t next, bool packed) {
	uint64_t address = some_address(input);
	uint32_t length = some_length(input);

	if (packed) {
		const struct virtq_packed_descriptor descriptor = {address, length, next, flags};

		memcpy(guest.ram + place, &descriptor, sizeof(descriptor));
	} else {
		const struct virtq_split_descriptor descriptor = {address, length, flags, next};

		memcpy(guest.ram + place, &descriptor, sizeof(descriptor));
	}
}

static bool is_packed(void) { return virtio_has(guest.device, VIRTIO_F_RING_PACKED); }

static unsigned some_queue(struct input *input) {
	return input_byte(input) % guest.device->queue_count;
}

static uint16_t packed_flags(unsigned number, uint16_t flags) {
	return flags | (guest.queues[number].wrap ? VIRTQ_AVAIL : VIRTQ_USED);
}

// A chain whose buffers may be anywhere; its form is right.
static void add_chain(struct input *input) {
	unsigned number = some_queue(input), count = input_byte(input) % LONGEST + 1;
	unsigned readable = input_byte(input) % (count + 1);
	uint16_t *available = (uint16_t *)(guest.ram + area(number, VIRTQUEUE_DRIVER));
	uint16_t head = guest.queues[number].place;

	for (unsigned i = 0; i < count; i++) {
		uint16_t flags = (uint16_t)((i + 1 < count ? VIRTQ_NEXT : 0) |
			(i >= readable ? VIRTQ_WRITE : 0));
		uint16_t place = guest.queues[number].place;
		uint16_t next = (uint16_t)((place + 1) % PLACES);

		// Some chains end elsewhere.
		if (i + 1 == count && input_byte(input) < 8) flags |= VIRTQ_NEXT;
		if (is_packed()) flags = packed_flags(number, flags);
		write_descriptor(area(number, 0) + place * 16u, input, flags,
			is_packed()                                    ? place
				: flags & VIRTQ_NEXT && i + 1 == count ? some_place(input, PLACES)
								       : next,
			is_packed());
		guest.queues[number].place = next;
		if (next == 0) guest.queues[number].wrap = !guest.queues[number].wrap;
	}
	if (!is_packed()) {
		available[2 + guest.queues[number].index % PLACES] = head;
		available[1] = ++guest.queues[number].index;
	}
	virtio_notify(guest.device, number);
}

// A request of the device's own kind: its beginning, and some buffers.
static void add_request(struct input *input) {
	unsigned number = some_queue(input), place = guest.queues[number].place;
	uint64_t begin = 0x200 * (uint64_t)(input_byte(input) % 0x40);
	const uint32_t length = guest.rig->request ? guest.rig->request(input, guest.ram + begin)
						   : 0;
	const struct virtq_split_descriptor parts[] = {
		{begin, length, VIRTQ_NEXT, 0},
		{begin + length, input_byte(input), VIRTQ_NEXT, 0},
		{0x20000, 512u * (input_byte(input) % 16), VIRTQ_NEXT | VIRTQ_WRITE, 0},
		{0x8000, 1, VIRTQ_WRITE, 0},
	};
	uint16_t *available = (uint16_t *)(guest.ram + area(number, VIRTQUEUE_DRIVER));
	unsigned first = input_byte(input) % 4 == 0;

	for (unsigned i = first; i < 4; i++) {
		struct virtq_split_descriptor part = parts[i];

		part.next = (uint16_t)((guest.queues[number].place + 1) % PLACES);
		if (is_packed()) {
			part.next = packed_flags(number, part.flags);
			part.flags = guest.queues[number].place;
		}
		memcpy(guest.ram + area(number, 0) + guest.queues[number].place * 16u, &part, 16);
		if (++guest.queues[number].place == PLACES) {
			guest.queues[number].place = 0;
			guest.queues[number].wrap = !guest.queues[number].wrap;
		}
	}
	available[2 + guest.queues[number].index % PLACES] = (uint16_t)place;
	if (!is_packed()) available[1] = ++guest.queues[number].index;
	virtio_notify(guest.device, number);
}

// A buffer that holds what the device may understand, from the input.
static void write_buffer(struct input *input) {
	uint64_t place = input_number(input, 2) & 0xfe00;
	unsigned count = input_byte(input) % 48;

	for (unsigned i = 0; i < count; i++)
		guest.ram[place + i] = input_byte(input);
}

static void write_ring(struct input *input) {
	unsigned number = some_queue(input);
	uint64_t place = area(number, input_byte(input) % VIRTQUEUE_AREAS);

	place += input_number(input, 2) % (16 * PLACES);
	for (unsigned i = input_byte(input) % 8 + 1; i > 0; i--)
		guest.ram[place++] = input_byte(input);
}

static void write_any_descriptor(struct input *input) {
	unsigned number = some_queue(input), place = input_byte(input) % PLACES;
	uint16_t flags = input_byte(input) & 7;

	if (is_packed()) flags = packed_flags(number, flags);
	write_descriptor(area(number, 0) + place * 16u, input, flags, some_place(input, PLACES),
		is_packed());
}

// A descriptor in the ring for a table.
static void offer_table(unsigned number, uint64_t table, uint32_t length) {
	uint16_t place = guest.queues[number].place;
	uint16_t *available = (uint16_t *)(guest.ram + area(number, VIRTQUEUE_DRIVER));
	struct virtq_split_descriptor whole = {table, length, VIRTQ_INDIRECT, 0};

	if (is_packed())
		whole = (struct virtq_split_descriptor){
			table, length, place, packed_flags(number, VIRTQ_INDIRECT)};
	memcpy(guest.ram + area(number, 0) + place * 16u, &whole, sizeof(whole));
	guest.queues[number].place = (uint16_t)((place + 1) % PLACES);
	if (place + 1 == PLACES) guest.queues[number].wrap = !guest.queues[number].wrap;
	available[2 + guest.queues[number].index % PLACES] = place;
	if (!is_packed()) available[1] = ++guest.queues[number].index;
	virtio_notify(guest.device, number);
}

static void add_table(struct input *input) {
	unsigned number = some_queue(input), count = input_byte(input) % LONGEST + 1;
	uint64_t table = input_number(input, 2) & 0xff00;

	for (unsigned i = 0; i < count; i++)
		write_descriptor(table + i * 16, input, input_byte(input) & 7,
			some_place(input, LONGEST), is_packed());
	offer_table(number, table, count * 16);
}

// A table that may be longer than a chain is allowed to be.
static void add_long_table(struct input *input) {
	unsigned number = some_queue(input), count = input_byte(input) + 1u;
	uint16_t flags = input_byte(input) & VIRTQ_WRITE;
	uint64_t table = 0x30000;

	for (unsigned i = 0; i < count; i++) {
		struct virtq_split_descriptor descriptor = {
			0x400 * i, 16, flags | VIRTQ_NEXT, (uint16_t)(i + 1)};

		if (is_packed()) descriptor.next = flags;
		memcpy(guest.ram + table + i * 16, &descriptor, sizeof(descriptor));
	}
	if (!is_packed())
		((struct virtq_split_descriptor *)(guest.ram + table))[count - 1].flags = flags;
	offer_table(number, table, count * 16);
}

static void notify(struct input *input) { virtio_notify(guest.device, input_byte(input)); }

static void touch_config(struct input *input) {
	uint64_t offset = input_byte(input), bytes = input_number(input, 8);

	if (offset == 0xff) offset = UINT64_MAX - 3;
	virtio_config_write(guest.device, offset, &bytes, input_byte(input) % 9);
	virtio_config_read(guest.device, offset, &bytes, 8);
}

static void set_anything(struct input *input) {
	unsigned number = some_queue(input);
	struct virtqueue *queue = virtio_queue(guest.device, number);
	uint8_t what = input_byte(input);

	virtio_accept(guest.device, what % 3, (uint32_t)input_number(input, 4));
	virtqueue_set_size(queue, (uint16_t)input_number(input, 2));
	virtqueue_set_address(
		queue, (enum virtqueue_area)(what % VIRTQUEUE_AREAS), some_address(input));
	virtqueue_enable(queue);
	virtio_set_status(guest.device, what);
}

static void start_again(struct input *input) {
	reset();
	set_up(input_number(input, 8) | VIRTIO_F_VERSION_1);
}

static void act(struct input *input) { guest.rig->act(input); }

static void (*const operations[])(struct input *input) = {
	add_chain,
	add_table,
	add_request,
	add_request,
	add_request,
	write_buffer,
	write_buffer,
	act,
	act,
	notify,
	write_ring,
	write_any_descriptor,
	touch_config,
	set_anything,
	start_again,
	add_long_table,
};
enum { OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

unsigned fuzz_run(const uint8_t *bytes, size_t size) {
	struct input input = {bytes, size};
	unsigned count = 0;

	if (!guest.ram) guest.ram = malloc(FUZZ_RAM); // its ends are watched by the sanitizer
	memset(guest.ram, 0, FUZZ_RAM);
	guest.memory = (struct guest_memory){guest.ram, FUZZ_RAM, 40};
	guest.rig = &rigs[input_byte(&input) % rig_count];
	guest.device = guest.rig->open(&guest.memory, input_byte(&input));
	guest.device->memory = &guest.memory;
	guest.device->transport = (struct virtio_transport){NULL, ignore_queue, ignore_config};
	virtio_reset(guest.device);
	set_up(input_number(&input, 8) | VIRTIO_F_VERSION_1);
	for (; input.left > 0; count++) {
		operations[input_byte(&input) % OPERATIONS](&input);
		// Most of what a broken device is asked for it ignores.
		if (guest.device->status & VIRTIO_NEEDS_RESET && input_byte(&input) % 4 == 0)
			start_again(&input);
	}
	reset();
	return count;
}
