// SPDX-License-Identifier: BSD-2-Clause
// The client of a block driver.
#include <vmm/virtio/blk_backend.h>

#include <base/bits.h>
#include <base/memory.h>

enum { TAG_SHIFT = 32, SLOT_MASK = BLOCK_CAPACITY - 1 };
#define TAG_IDENTIFY UINT64_MAX

static bool is_shared(const struct blk_client *client) {
	const struct guest_memory *memory = client->blk->device.memory;

	return client->data == memory->bytes;
}

// Without guest RAM in the data region, each slot has its own piece of it.
static uint64_t slot_size(const struct blk_client *client) {
	return align_down(client->data_size / BLOCK_CAPACITY, BLOCK_SECTOR);
}

// The place of a part's data in the data region; false if there is none.
static bool find_place(const struct blk_client *client, const struct blk_part *part,
	unsigned number, uint64_t *place) {
	uint64_t bytes = (uint64_t)part->count * BLOCK_SECTOR;

	if (!is_shared(client)) {
		*place = number * slot_size(client);
		return true;
	}
	*place = (uint64_t)(part->bytes - client->data);
	return is_aligned(*place, BLOCK_SECTOR) && range_fits(*place, bytes, client->data_size);
}

// What is to be copied to the data region now, and from it later.
static void copy_out(
	const struct blk_client *client, const struct blk_part *part, struct blk_slot *slot) {
	if (is_shared(client) || !part->bytes) return;
	slot->bytes = part->count * BLOCK_SECTOR;
	if (part->kind == BLOCK_READ)
		slot->copy_to = part->bytes;
	else
		memcpy(client->data + slot->place, part->bytes, slot->bytes);
}

static bool put(struct blk_client *client, unsigned number, const struct blk_part *part) {
	struct blk_slot *slot = &client->slots[number];
	const struct block_request request = {
		.tag = slot->tag,
		.sector = part->sector,
		.data = slot->place,
		.count = part->count,
		.kind = part->kind,
	};

	if (!ring_put(&client->end.requests, &request)) return false;
	client->free &= ~BIT(number);
	client->submitted = true;
	return true;
}

static bool client_submit(void *context, const struct blk_part *part) {
	struct blk_client *client = context;
	unsigned number;
	struct blk_slot *slot;

	if (client->free == 0) return false;
	number = bits_lowest(client->free);
	slot = &client->slots[number];
	slot->part = part->tag;
	slot->copy_to = NULL;
	slot->place = 0;
	slot->tag = (uint64_t)++client->sequence << TAG_SHIFT | number;
	if (part->bytes && !find_place(client, part, number, &slot->place)) {
		client->free &= ~BIT(number);
		client->failed |= BIT(number);
		return true;
	}
	copy_out(client, part, slot);
	return put(client, number, part);
}

static void end_slot(struct blk_client *client, unsigned number, bool success) {
	const struct blk_slot *slot = &client->slots[number];

	client->free |= BIT(number);
	if (success && slot->copy_to)
		memcpy(slot->copy_to, client->data + slot->place, slot->bytes);
	blk_done(client->blk, slot->part, success);
}

// The driver is not trusted to answer what was asked, once.
static void take_answer(struct blk_client *client, const struct block_completion *answer) {
	unsigned number = answer->tag & SLOT_MASK;

	if (client->free & BIT(number) || client->slots[number].tag != answer->tag) return;
	end_slot(client, number, answer->status == BLOCK_OK);
}

static void take_answers(struct blk_client *client) {
	struct block_completion answer;

	for (; client->failed != 0; client->failed &= client->failed - 1, client->taken = true)
		end_slot(client, bits_lowest(client->failed), false);
	for (; ring_get(&client->end.completions, &answer); client->taken = true)
		take_answer(client, &answer);
}

static bool client_commit(void *context) {
	struct blk_client *client = context;
	bool notify = client->submitted && ring_must_notify(&client->end.requests);

	if (client->taken && ring_must_notify_producer(&client->end.completions)) notify = true;
	client->submitted = false;
	client->taken = false;
	if (notify) client->signal(client->context);
	// A driver of a higher priority has answered by now.
	take_answers(client);
	return client->taken || !ring_may_sleep(&client->end.completions);
}

// Where the driver writes what it knows of the disk: the guest has not started yet.
static uint64_t information_place(const struct blk_client *client) {
	return align_down(client->data_size, BLOCK_SECTOR) - BLOCK_SECTOR * (client->number + 1ul);
}

bool blk_client_open(struct blk_client *client) {
	const struct block_request identify = {
		.tag = TAG_IDENTIFY,
		.data = information_place(client),
		.kind = BLOCK_IDENTIFY,
	};

	if (!client->data || client->data_size < BLOCK_SECTOR * BLOCK_CAPACITY ||
		!block_open(&client->end, client->queue) ||
		!ring_put(&client->end.requests, &identify))
		return false;
	client->free = ~0ul;
	// Until the driver has answered, a disk without sectors.
	blk_init(client->blk, &(struct block_information){0});
	if (ring_must_notify(&client->end.requests)) client->signal(client->context);
	return true;
}

// What a VMM before this one asked for is answered first.
static bool take_identify(struct blk_client *client, struct block_completion *answer) {
	do {
		while (ring_get(&client->end.completions, answer))
			if (answer->tag == TAG_IDENTIFY) return true;
	} while (!ring_may_sleep(&client->end.completions));
	return false;
}

static void take_information(struct blk_client *client) {
	struct block_completion answer;
	struct block_information information;
	uint64_t slot = slot_size(client) / BLOCK_SECTOR;

	if (!take_identify(client, &answer)) return;
	memcpy(&information, client->data + information_place(client), sizeof(information));
	// Without a disk, one without sectors.
	if (answer.status != BLOCK_OK || information.sector_size != BLOCK_SECTOR ||
		information.maximum == 0)
		information = (struct block_information){.maximum = 1};
	if (!is_shared(client) && information.maximum > slot) information.maximum = (uint32_t)slot;
	if (information.maximum > BLOCK_MAXIMUM) information.maximum = BLOCK_MAXIMUM;
	client->blk->backend = (struct blk_backend){
		client, client_submit, client_commit, information.maximum};
	blk_init(client->blk, &information);
	client->ready = true;
}

void blk_client_notified(void *context) {
	struct blk_client *client = context;

	if (client->ready) {
		take_answers(client);
		blk_settle(client->blk);
	} else {
		take_information(client);
	}
}
