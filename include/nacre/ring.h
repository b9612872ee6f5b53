// SPDX-License-Identifier: BSD-2-Clause
// The one ring of Nacre's device protocols: items of a fixed size in shared memory, one producer,
// one consumer. docs/reference/rings.md has the layout and the rules.
//
//   byte 0     producer's line: head, items ever written; producer_waits
//   byte 64    consumer's line: tail, items ever read; consumer_awake
//   byte 128   capacity * item size bytes of items; capacity is a power of two
//
// Counters wrap at 2^32. Zeroed memory is an empty ring with a sleeping consumer, so the first item
// causes a notification. Each side has a private ring_end with its own counter, of which the region
// holds only a copy: a hostile peer can neither change it nor cause an access outside the region.
// With impossible counters of the peer the ring looks empty to a consumer, full to a producer.
#pragma once

#include <abi/compiler.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RING_LINE = 64,
	RING_HEADER = 2 * RING_LINE,
};

struct ring {
	uint32_t head;
	uint32_t producer_waits; // 1: the producer sleeps until it is notified of room
	uint32_t producer_padding[14];
	uint32_t tail;
	uint32_t consumer_awake; // 0: the consumer sleeps until it is notified of items
	uint32_t consumer_padding[14];
};

ABI_ASSERT(offsetof(struct ring, tail) == RING_LINE && sizeof(struct ring) == RING_HEADER);

// One side's view, in its private memory.
struct ring_end {
	struct ring *shared;
	uint32_t mask; // capacity - 1
	uint32_t item_size;
	uint32_t own; // this side's counter
	uint32_t other; // the peer's counter as last seen, never an impossible one
};

// Consumer: items that wait.
static inline uint32_t ring_count(struct ring_end *consumer) {
	uint32_t head = __atomic_load_n(&consumer->shared->head, __ATOMIC_ACQUIRE);
	uint32_t count = head - consumer->own;

	if (count > consumer->mask + 1) count = 0;
	consumer->other = consumer->own + count;
	return count;
}

// Producer: items for which there is room.
static inline uint32_t ring_room(struct ring_end *producer) {
	uint32_t tail = __atomic_load_n(&producer->shared->tail, __ATOMIC_ACQUIRE);
	uint32_t capacity = producer->mask + 1;
	uint32_t count = producer->own - tail;

	if (count > capacity) count = capacity;
	producer->other = producer->own - count;
	return capacity - count;
}

// Used by the two functions below: false when the region cannot be a ring of such items.
static inline bool ring_attach(
	struct ring_end *end, void *memory, size_t bytes, uint32_t item_size) {
	uint64_t capacity;

	if (!memory || (uintptr_t)memory % RING_LINE != 0 || item_size == 0 || bytes < RING_HEADER)
		return false;
	capacity = (bytes - RING_HEADER) / item_size;
	if (capacity == 0) return false;
	if (capacity > 1u << 31) capacity = 1u << 31;
	end->shared = (struct ring *)memory;
	end->mask = (uint32_t)((1ul << (63 - __builtin_clzl(capacity))) - 1);
	end->item_size = item_size;
	end->own = 0;
	end->other = 0;
	return true;
}

// A restarted side continues where its predecessor stopped. Call it once, from `init`; then check
// the ring before the first sleep, because notifications to the predecessor are lost.
ABI_MUST_USE static inline bool ring_attach_producer(
	struct ring_end *end, void *memory, size_t bytes, uint32_t item_size) {
	if (!ring_attach(end, memory, bytes, item_size)) return false;
	end->own = __atomic_load_n(&end->shared->head, __ATOMIC_RELAXED);
	__atomic_store_n(&end->shared->producer_waits, 0, __ATOMIC_RELAXED);
	(void)ring_room(end);
	return true;
}

ABI_MUST_USE static inline bool ring_attach_consumer(
	struct ring_end *end, void *memory, size_t bytes, uint32_t item_size) {
	if (!ring_attach(end, memory, bytes, item_size)) return false;
	end->own = __atomic_load_n(&end->shared->tail, __ATOMIC_RELAXED);
	__atomic_store_n(&end->shared->consumer_awake, 0, __ATOMIC_RELAXED);
	end->other = end->own;
	return true;
}

static inline uint8_t *ring_items(const struct ring_end *end) {
	return (uint8_t *)end->shared + RING_HEADER;
}

static inline uint8_t *ring_place(const struct ring_end *end, uint32_t size) {
	return ring_items(end) + (size_t)(end->own & end->mask) * size;
}

// Word by word where that is possible: the compiler then sees the fields of the item.
ABI_ALWAYS_INLINE void ring_copy(void *to, const void *from, uint32_t size) {
	if (size % 8 != 0 || size > RING_LINE) {
		__builtin_memcpy(to, from, size);
		return;
	}
#pragma GCC unroll 8
	for (uint32_t i = 0; i < size; i += 8)
		__builtin_memcpy((uint8_t *)to + i, (const uint8_t *)from + i, 8);
}

// ring_put and ring_get; always inline, so that a copy of constant size is a few moves.
ABI_ALWAYS_INLINE bool ring_put_item(struct ring_end *producer, const void *item, uint32_t size) {
	if (size != producer->item_size) return false;
	if (producer->own - producer->other > producer->mask && ring_room(producer) == 0)
		return false;
	ring_copy(ring_place(producer, size), item, size);
	producer->own++;
	// Release: a consumer that sees the new head sees the item.
	__atomic_store_n(&producer->shared->head, producer->own, __ATOMIC_RELEASE);
	return true;
}

ABI_ALWAYS_INLINE bool ring_peek_item(struct ring_end *consumer, void *item, uint32_t size) {
	if (size != consumer->item_size) return false;
	if (consumer->own == consumer->other && ring_count(consumer) == 0) return false;
	ring_copy(item, ring_place(consumer, size), size);
	return true;
}

// Consumer: remove the oldest item, which ring_peek returned.
static inline void ring_skip(struct ring_end *consumer) {
	consumer->own++;
	// Release: the producer reuses the slot only after it was read.
	__atomic_store_n(&consumer->shared->tail, consumer->own, __ATOMIC_RELEASE);
}

ABI_ALWAYS_INLINE bool ring_get_item(struct ring_end *consumer, void *item, uint32_t size) {
	if (!ring_peek_item(consumer, item, size)) return false;
	ring_skip(consumer);
	return true;
}

// Producer: add an item; false when the ring is full (or made for items of another size).
#define ring_put(producer, item) ring_put_item(producer, item, sizeof(*(item)))

// Consumer: take the oldest item into private memory; false when there is none.
#define ring_get(consumer, item) ring_get_item(consumer, item, sizeof(*(item)))

// Consumer: copy the oldest item and leave it where it is, so that a consumer that is restarted
// before ring_skip finds it again.
#define ring_peek(consumer, item) ring_peek_item(consumer, item, sizeof(*(item)))

// Producer, after a batch: true when the consumer sleeps and has to be notified now. It counts as
// notified, so that there is one notification for each sleep.
static inline bool ring_must_notify(struct ring_end *producer) {
	// Items are written before the flag is read; pairs with the fence of ring_may_sleep.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&producer->shared->consumer_awake, __ATOMIC_RELAXED) == 0 &&
		__atomic_exchange_n(&producer->shared->consumer_awake, 1, __ATOMIC_SEQ_CST) == 0;
}

// Consumer that found nothing: true when it may sleep, because the producer will notify; false when
// something arrived meanwhile.
static inline bool ring_may_sleep(struct ring_end *consumer) {
	__atomic_store_n(&consumer->shared->consumer_awake, 0, __ATOMIC_RELAXED);
	// The flag is written before the last check: at least one side sees the other's write.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring_count(consumer) == 0) return true;
	__atomic_store_n(&consumer->shared->consumer_awake, 1, __ATOMIC_RELAXED);
	return false;
}

// The same pair in the other direction, for a producer that waits for room.
// Consumer, after a batch: true when the producer has to be notified of room.
static inline bool ring_must_notify_producer(struct ring_end *consumer) {
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&consumer->shared->producer_waits, __ATOMIC_RELAXED) != 0 &&
		__atomic_exchange_n(&consumer->shared->producer_waits, 0, __ATOMIC_SEQ_CST) != 0;
}

// Producer that found no room: true when it may sleep, false when there is room now.
static inline bool ring_may_wait(struct ring_end *producer) {
	__atomic_store_n(&producer->shared->producer_waits, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring_room(producer) == 0) return true;
	__atomic_store_n(&producer->shared->producer_waits, 0, __ATOMIC_RELAXED);
	return false;
}
