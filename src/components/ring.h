// SPDX-License-Identifier: BSD-2-Clause
// Byte ring in memory shared by one producer and one consumer. The two may distrust each other: a
// side reads the other's counter, but never uses it as an index without masking.
//
//   head counts bytes ever written (producer writes it), tail bytes ever read (consumer writes it);
//   both wrap at 2^32. A zeroed ring is empty.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	RING_CAPACITY = 8192, // a power of two
};

struct byte_ring {
	_Atomic uint32_t head;
	uint32_t head_padding[15]; // the two counters on different cache lines
	_Atomic uint32_t tail;
	uint32_t tail_padding[15];
	uint8_t data[RING_CAPACITY];
};

_Static_assert(sizeof(struct byte_ring) == 128 + RING_CAPACITY);

// Bytes in the ring. The side that does not own both counters may see a hostile one: clamp.
static inline uint32_t ring_used(const struct byte_ring *ring) {
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	uint32_t used = head - tail;

	return used > RING_CAPACITY ? RING_CAPACITY : used;
}

static inline uint32_t ring_free(const struct byte_ring *ring) {
	return RING_CAPACITY - ring_used(ring);
}

// Producer: add a byte; false when the ring is full.
static inline bool ring_put(struct byte_ring *ring, uint8_t byte) {
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	if (ring_free(ring) == 0) return false;
	ring->data[head % RING_CAPACITY] = byte;
	// Release: the consumer that sees the new head sees the byte.
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

// Consumer: take the oldest byte; false when the ring is empty.
static inline bool ring_get(struct byte_ring *ring, uint8_t *byte) {
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (ring_used(ring) == 0) return false;
	*byte = ring->data[tail % RING_CAPACITY];
	// Release: the producer reuses the place only after it was read.
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return true;
}
