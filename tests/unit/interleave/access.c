// SPDX-License-Identifier: BSD-2-Clause
#include "access.h"

#include "clocks.h"
#include "explore.h"

#include <stddef.h>
#include <string.h>

enum { STORES_MAX = 64 };

struct store {
	void *memory;
	uint64_t value;
	unsigned size;
	bool is_release;
	struct clock clock; // of the core, then
};

static struct store stores[CORES_MAX][STORES_MAX]; // delayed
static unsigned store_count[CORES_MAX];
static bool delays_stores;

void access_begin(unsigned cores, bool with_delay) {
	clocks_begin(cores);
	delays_stores = with_delay;
	memset(store_count, 0, sizeof(store_count));
}

void __tsan_init(void);
void __tsan_init(void) {}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *) {}

void __tsan_func_exit(void);
void __tsan_func_exit(void) {}

static bool is_acquire(int order) { return order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE; }

static bool is_release(int order) { return order >= __ATOMIC_RELEASE; }

static void memory_set(void *memory, uint64_t value, unsigned size) {
	memcpy(memory, &value, size);
}

static uint64_t memory_get(const void *memory, unsigned size) {
	uint64_t value = 0;

	memcpy(&value, memory, size);
	return value;
}

static void store_show(const struct store *store) {
	memory_set(store->memory, store->value, store->size);
	clocks_release(store->memory, store->is_release ? &store->clock : NULL);
	explore_written();
}

void access_show_stores(void) {
	unsigned *count = &store_count[explore_core];

	for (unsigned i = 0; i < *count; i++)
		store_show(&stores[explore_core][i]);
	*count = 0;
}

// Plain accesses

// A core sees its own stores at once, and writes what it wrote before in this order.
static void show_if_stored(const void *memory, uint64_t size) {
	uint64_t begin = (uint64_t)memory, other;

	for (unsigned i = 0; i < store_count[explore_core]; i++) {
		other = (uint64_t)stores[explore_core][i].memory;
		if (other < begin + size && begin < other + stores[explore_core][i].size)
			return access_show_stores();
	}
}

static void plain(const void *memory, uint64_t size, bool is_write, const void *from) {
	if (!explore_runs) return;
	show_if_stored(memory, size);
	clocks_access(memory, size, is_write, from);
}

void access_note(const void *memory, uint64_t size, bool is_write) {
	plain(memory, size, is_write, __builtin_return_address(0));
}

#define PLAIN(bytes) \
	void __tsan_read##bytes(void *memory); \
	void __tsan_read##bytes(void *memory) { \
		plain(memory, bytes, false, __builtin_return_address(0)); \
	} \
	void __tsan_write##bytes(void *memory); \
	void __tsan_write##bytes(void *memory) { \
		plain(memory, bytes, true, __builtin_return_address(0)); \
	}

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)
#undef PLAIN

#define UNALIGNED(bytes) \
	void __tsan_unaligned_read##bytes(void *memory); \
	void __tsan_unaligned_read##bytes(void *memory) { \
		plain(memory, bytes, false, __builtin_return_address(0)); \
	} \
	void __tsan_unaligned_write##bytes(void *memory); \
	void __tsan_unaligned_write##bytes(void *memory) { \
		plain(memory, bytes, true, __builtin_return_address(0)); \
	}

UNALIGNED(2)
UNALIGNED(4)
UNALIGNED(8)
UNALIGNED(16)
#undef UNALIGNED

void __tsan_read_range(void *memory, uint64_t size);
void __tsan_read_range(void *memory, uint64_t size) {
	plain(memory, size, false, __builtin_return_address(0));
}

void __tsan_write_range(void *memory, uint64_t size);
void __tsan_write_range(void *memory, uint64_t size) {
	plain(memory, size, true, __builtin_return_address(0));
}

// Atomic accesses

static void store(void *memory, uint64_t value, unsigned size, int order, const void *from) {
	struct store new = {memory, value, size, is_release(order), {}};

	if (!explore_runs) return memory_set(memory, value, size);
	explore_point(from);
	clocks_copy(&new.clock);
	if (is_release(order)) clocks_advance();
	if (!delays_stores || order == __ATOMIC_SEQ_CST ||
		store_count[explore_core] == STORES_MAX) {
		access_show_stores();
		return store_show(&new);
	}
	stores[explore_core][store_count[explore_core]++] = new;
}

// A core sees its own stores at once.
static uint64_t load(const void *memory, unsigned size, int order, const void *from) {
	const struct store *own = stores[explore_core];

	if (!explore_runs) return memory_get(memory, size);
	explore_point(from);
	for (unsigned i = store_count[explore_core]; i-- > 0;)
		if (own[i].memory == memory) return own[i].value;
	if (is_acquire(order)) clocks_acquire(memory);
	return memory_get(memory, size);
}

// Before an operation that loads and stores in one.
static void change_begin(const void *memory, int order, const void *from) {
	if (!explore_runs) return;
	explore_point(from);
	access_show_stores();
	if (is_acquire(order)) clocks_acquire(memory);
}

static void change_end(const void *memory, int order) {
	if (!explore_runs) return;
	if (is_release(order)) {
		clocks_release_too(memory);
		clocks_advance();
	}
	explore_written();
}

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int) {
	if (explore_runs) access_show_stores();
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int) {}

#define CHANGE(bits, name, expression) \
	uint##bits##_t __tsan_atomic##bits##_##name( \
		uint##bits##_t *memory, uint##bits##_t value, int order); \
	uint##bits##_t __tsan_atomic##bits##_##name( \
		uint##bits##_t *memory, uint##bits##_t value, int order) { \
		uint##bits##_t old; \
\
		change_begin(memory, order, __builtin_return_address(0)); \
		old = *memory; \
		*memory = (uint##bits##_t)(expression); \
		change_end(memory, order); \
		return old; \
	}

#define EXCHANGE_IF(bits, name) \
	int __tsan_atomic##bits##_compare_exchange_##name(uint##bits##_t *memory, \
		uint##bits##_t *expected, uint##bits##_t value, int order, int failure); \
	int __tsan_atomic##bits##_compare_exchange_##name(uint##bits##_t *memory, \
		uint##bits##_t *expected, uint##bits##_t value, int order, int) { \
		bool is_same; \
\
		change_begin(memory, order, __builtin_return_address(0)); \
		is_same = *memory == *expected; \
		*expected = *memory; \
		if (!is_same) return false; \
		*memory = value; \
		change_end(memory, order); \
		return true; \
	}

#define ATOMIC(bits) \
	uint##bits##_t __tsan_atomic##bits##_load(const uint##bits##_t *memory, int order); \
	uint##bits##_t __tsan_atomic##bits##_load(const uint##bits##_t *memory, int order) { \
		return (uint##bits##_t)load(memory, bits / 8, order, __builtin_return_address(0)); \
	} \
	void __tsan_atomic##bits##_store(uint##bits##_t *memory, uint##bits##_t value, int order); \
	void __tsan_atomic##bits##_store( \
		uint##bits##_t *memory, uint##bits##_t value, int order) { \
		store(memory, value, bits / 8, order, __builtin_return_address(0)); \
	} \
	CHANGE(bits, exchange, value) \
	CHANGE(bits, fetch_add, old + value) \
	CHANGE(bits, fetch_sub, old - value) \
	CHANGE(bits, fetch_and, old &value) \
	CHANGE(bits, fetch_or, old | value) \
	EXCHANGE_IF(bits, strong) \
	EXCHANGE_IF(bits, weak)

ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)
