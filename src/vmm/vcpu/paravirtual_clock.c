// SPDX-License-Identifier: BSD-2-Clause
// Records of KVM's clock.
#include <vmm/vcpu/paravirtual_clock.h>

#define NANOSECONDS_PER_SECOND 1000000000ull

enum { SYSTEM_TIME_ON = 1, FLAG_TSC_STABLE = 1 << 0 };

// Nanoseconds: system_time + ((TSC - tsc_timestamp) << shift) * multiplier / 2^32.
struct system_time_record {
	uint32_t version;
	uint32_t reserved;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t multiplier;
	int8_t shift;
	uint8_t flags;
	uint8_t padding[2];
};

struct wall_clock_record {
	uint32_t version;
	uint32_t seconds;
	uint32_t nanoseconds;
};

_Static_assert(sizeof(struct system_time_record) == 32);
_Static_assert(sizeof(struct wall_clock_record) == 12);

// The rate is brought between 1 and 2 GHz, so that the multiplier has all of its 32 bits.
static void set_rate(struct system_time_record *record, uint64_t hertz) {
	for (; hertz > 2 * NANOSECONDS_PER_SECOND; hertz >>= 1)
		record->shift--;
	for (; hertz <= NANOSECONDS_PER_SECOND; hertz <<= 1)
		record->shift++;
	record->multiplier = (uint32_t)((NANOSECONDS_PER_SECOND << 32) / hertz);
}

// The guest does not run meanwhile, so it never sees an odd version.
static bool write_record(struct paravirtual_clock *clock) {
	struct guest_physical where = guest_physical(
		clock->system_time & ~(uint64_t)SYSTEM_TIME_ON);
	struct system_time_record record = {
		.version = clock->version += 2,
		.tsc_timestamp = clock->start + clock->clock->offset,
		.flags = FLAG_TSC_STABLE,
	};

	set_rate(&record, clock->clock->hertz);
	return memory_write(clock->memory, where, &record, sizeof(record));
}

void paravirtual_clock_reset(struct paravirtual_clock *clock, uint64_t start, uint64_t wall_seconds,
	uint32_t wall_nanoseconds) {
	clock->start = start;
	clock->wall_seconds = wall_seconds;
	clock->wall_nanoseconds = wall_nanoseconds;
	clock->system_time = 0;
}

bool paravirtual_clock_place(struct paravirtual_clock *clock, uint64_t value) {
	uint64_t before = clock->system_time;

	clock->system_time = value;
	if (!(value & SYSTEM_TIME_ON) || write_record(clock)) return true;
	clock->system_time = before;
	return false;
}

bool paravirtual_clock_tell_wall(struct paravirtual_clock *clock, uint64_t address) {
	struct wall_clock_record record = {
		.version = clock->version += 2,
		.seconds = (uint32_t)clock->wall_seconds,
		.nanoseconds = clock->wall_nanoseconds,
	};

	return memory_write(clock->memory, guest_physical(address), &record, sizeof(record));
}

void paravirtual_clock_update(struct paravirtual_clock *clock) {
	// It was written there before, and memory does not go away.
	if (clock->system_time & SYSTEM_TIME_ON) (void)write_record(clock);
}
