// SPDX-License-Identifier: BSD-2-Clause
// Guest RAM: copies.
#include <vmm/host/memory.h>

#include <base/memory.h>

bool memory_read(const struct guest_memory *memory, struct guest_physical address, void *buffer,
	uint64_t length) {
	const void *bytes = memory_at(memory, address, length);

	if (!bytes) return false;
	memcpy(buffer, bytes, length);
	return true;
}

bool memory_write(const struct guest_memory *memory, struct guest_physical address,
	const void *buffer, uint64_t length) {
	void *bytes = memory_at(memory, address, length);

	if (!bytes) return false;
	memcpy(bytes, buffer, length);
	return true;
}
