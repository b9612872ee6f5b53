// SPDX-License-Identifier: BSD-2-Clause
// Rows of an engine's fields (VCPU-15, VCPU-23): which there are, and what becomes of a value.
#pragma once

#include <guest/engine.h>

enum field_flags {
	FIELD_READ = 1 << 0,
	FIELD_WRITE = 1 << 1,
	FIELD_BOTH = FIELD_READ | FIELD_WRITE,
	FIELD_STALE = 1 << 2, // a change makes kept linear translations wrong (SDM 3C 29.4.3)
	FIELD_DEBUG = 1 << 3, // the registers may hold a later value
	// AMD-V:
	FIELD_OURS = 1 << 4, // in struct guest, not in the control block
	FIELD_MASKS = 1 << 5, // a change may change which accesses to CR0 and CR4 exit
	FIELD_CONTROLS = 1 << 6, // a change changes what exits
};

// Fields first..last (even encodings) of the same kind, whose words of size bytes are step bytes
// apart, the first at offset. A table has them in the order of encodings.
struct guest_field {
	uint32_t first, last;
	uint16_t offset;
	uint8_t size, step, flags;
	// Makes of the word what monitors see.
	uint64_t (*read)(const struct guest *guest, const void *word, uint64_t value);
	// Refuses a value, or makes of it what the word gets.
	bool (*write)(struct guest *guest, uint64_t *value);
	uint8_t limits; // VT-x: enum vmx_word
};

// The row of a field; null if there is none with the flag.
[[nodiscard]] const struct guest_field *guest_field_find(
	const struct guest_field *rows, size_t count, uint64_t field, enum field_flags flag);
// Its word, up to date. base: what the row's offset is from.
[[nodiscard]] void *guest_field_word(
	struct guest *guest, void *base, const struct guest_field *row, uint64_t field);

// Write functions of rows. The last three refuse what the register's instruction would fault on.
[[nodiscard]] bool guest_write_debugctl(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_write_rip(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_check_length(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_check_32_bits(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_check_address(struct guest *guest, uint64_t *value);
[[nodiscard]] bool guest_check_spec_ctrl(struct guest *guest, uint64_t *value);
