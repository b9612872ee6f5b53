// SPDX-License-Identifier: BSD-2-Clause
// Rows of an engine's fields (VCPU-15, VCPU-23): which there are, and what becomes of a value.
#pragma once

#include <cpu/platform.h>
#include <guest/engine.h>
#include <guest/vmx/vmcs.h>

enum field_flags {
	FIELD_READ = 1 << 0,
	FIELD_WRITE = 1 << 1,
	FIELD_BOTH = FIELD_READ | FIELD_WRITE,
	FIELD_STALE = 1 << 2, // a change makes kept linear translations wrong (SDM 3C 29.4.3)
	FIELD_DEBUG = 1 << 3, // DR0 to DR3, of which the registers may hold a later value
	FIELD_OURS = 1 << 4, // the word is in struct guest; by VT-x with what monitors see
	FIELD_VMCS = 1 << 5, // VT-x: there is no word
	// AMD-V:
	FIELD_LOAD = 1 << 6, // a load from the control block reads it
	FIELD_STORE = 1 << 7, // a store writes it
	FIELD_MADE = 1 << 8, // field_made says what monitors see
	FIELD_MASKS = 1 << 9, // a change may change which accesses to CR0 and CR4 exit
	FIELD_CONTROLS = 1 << 10, // a change changes what exits
};

// A field, or some that have no words; with even encodings.
struct guest_field {
	uint32_t first, last;
	uint16_t offset, flags;
	uint8_t size; // of the word
	// Refuses a value, or makes of it what the word gets.
	bool (*write)(struct guest *guest, uint64_t *value);
	enum vmx_word limits; // of a value, before that
};

// A field's place in its engine's table. Of two that met there the compiler would complain.
enum { GUEST_FIELDS = 282 };
#define FIELD_NUMBER(field) ((field) / 2 % GUEST_FIELDS)
#define FIELD_ROW(first, last, ...) \
	[FIELD_NUMBER(first)... FIELD_NUMBER(last)] = {first, last, __VA_ARGS__}

// The first size bytes at a place that is followed by others.
typedef uint64_t word_anywhere [[gnu::aligned(1), gnu::may_alias]];
static inline uint64_t word_load(const void *word, unsigned size) {
	static const uint64_t masks[] = {[2] = UINT16_MAX, [4] = UINT32_MAX, [8] = UINT64_MAX};

	return READ_ONCE(*(const word_anywhere *)word) & masks[size];
}

static inline void word_store(void *word, uint64_t value, unsigned size) {
	switch (size) {
	case sizeof(uint64_t): *(uint64_t *)word = value; break;
	case sizeof(uint32_t): *(uint32_t *)word = (uint32_t)value; break;
	case sizeof(uint16_t): *(uint16_t *)word = (uint16_t)value; break;
	}
}

// What the word becomes that is to be value: bits the CPU or the kernel's safety demand are set,
// bits that the CPU or the kernel does not support are clear (VCPU-17).
static inline uint64_t word_apply(enum vmx_word word, uint64_t value) {
	const struct word_range *range = &this_cpu()->platform->found.words[word];

	return (value | range->must) & range->may;
}

// A field's word, unless it is in the VMCS alone.
static inline void *field_word(const struct guest *guest, const struct guest_field *row) {
	const void *base = row->flags & FIELD_OURS ? (const void *)guest : guest->svm.vmcb;

	return (char *)base + row->offset;
}

// AMD-V: false if the value is refused.
static inline bool field_store(
	struct guest *guest, const struct guest_field *row, uint64_t *value) {
	if (row->write && !row->write(guest, value)) return false;
	word_store(field_word(guest, row), *value, row->size);
	guest->svm.vmcb->clean = 0;
	return true;
}

// False, and value as it was, if this CPU has no such field.
static inline bool field_get(
	struct guest *guest, const struct guest_field *row, uint64_t field, uint64_t *value) {
	if (row->flags & FIELD_VMCS) return vmcs_try_read((enum vmcs_field)field, value);
	if (row->flags & FIELD_DEBUG) guest_debug_take(guest);
	*value = row->flags & FIELD_MADE
		? guest_engine()->field_made(guest, field, field_word(guest, row))
		: word_load(field_word(guest, row), row->size);
	return true;
}

// False if this CPU has no such field, or the value is refused.
[[nodiscard]] bool field_set(
	struct guest *guest, const struct guest_field *row, uint64_t field, uint64_t value);

// Write functions of rows. The last three refuse what the register's instruction would fault on.
[[nodiscard]] bool guest_write_debugctl(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_write_rip(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_check_length(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_check_32_bits(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_check_address(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_check_spec_ctrl(struct guest *guest, uint64_t *value);

// A guest's instruction pointer may stand right behind the lower half of addresses, where the next
// fetch faults; VM entry refuses what lies farther out (SDM 3C 27.3.1.4), which becomes 0.
static inline uint64_t guest_clean_rip(uint64_t value) {
	return (uint64_t)((int64_t)(value << 15) >> 15) == value ? value : 0;
}
