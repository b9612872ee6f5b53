// SPDX-License-Identifier: BSD-2-Clause
// Guest RAM: the only way from a guest-physical address to a pointer, always checked.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guest_physical {
	uint64_t value;
};

struct guest_memory {
	uint8_t *bytes; // guest-physical address 0; set once when the machine is built
	uint64_t size;
	uint8_t address_bits; // width of guest-physical addresses, as CPUID reports to the guest
};

static inline struct guest_physical guest_physical(uint64_t value) {
	return (struct guest_physical){.value = value};
}

// The host address of [address, address + length), or a null pointer if any byte lies outside RAM.
[[nodiscard]] static inline void *memory_at(
	const struct guest_memory *ram, struct guest_physical address, uint64_t length) {
	if (address.value > ram->size || length > ram->size - address.value) return NULL;
	return ram->bytes + address.value;
}

[[nodiscard]] bool memory_read(const struct guest_memory *memory, struct guest_physical address,
	void *buffer, uint64_t length);
[[nodiscard]] bool memory_write(const struct guest_memory *memory, struct guest_physical address,
	const void *buffer, uint64_t length);
