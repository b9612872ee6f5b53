// SPDX-License-Identifier: BSD-2-Clause
// For consumers that work on several items at a time and leave each in the ring until it is done,
// so that they find them again after a restart: the first `ahead` items are those under way.
#pragma once

#include <nacre/ring.h>

ABI_ALWAYS_INLINE bool ring_peek_item_ahead(
	struct ring_end *consumer, uint32_t ahead, void *item, uint32_t size) {
	if (size != consumer->item_size) return false;
	if (consumer->other - consumer->own <= ahead && ring_count(consumer) <= ahead) return false;
	ring_copy(item,
		ring_items(consumer) + (size_t)((consumer->own + ahead) & consumer->mask) * size,
		size);
	return true;
}

// Copy the first item behind those under way; false when there is none.
#define ring_peek_ahead(consumer, ahead, item) \
	ring_peek_item_ahead(consumer, ahead, item, sizeof(*(item)))

// As ring_may_sleep, when there is nothing behind those under way.
static inline bool ring_may_sleep_ahead(struct ring_end *consumer, uint32_t ahead) {
	__atomic_store_n(&consumer->shared->consumer_awake, 0, __ATOMIC_RELAXED);
	// The flag is written before the last check, as there.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring_count(consumer) <= ahead) return true;
	__atomic_store_n(&consumer->shared->consumer_awake, 1, __ATOMIC_RELAXED);
	return false;
}
