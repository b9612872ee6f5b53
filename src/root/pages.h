// SPDX-License-Identifier: BSD-2-Clause
// Frames of the system: created, filled from the image, mapped, and their capabilities kept in a
// storage CNode.
#pragma once

#include <root/system.h>

// One page of a run: its content and where that comes from.
struct page {
	seL4_Word bits;
	seL4_Word paddr; // or SYSTEM_ANY_ADDRESS
	const uint8_t *data;
	seL4_Word data_size;
};

// Size of the storage for so many capabilities, as a power of two.
seL4_Word pages_storage_bits(seL4_Word count);

// Make the storage, for at least `count` capabilities.
[[nodiscard]] seL4_Error pages_init(struct system *system, seL4_Word count);

// Move a capability to the next place in the storage and free its slot.
[[nodiscard]] seL4_Error pages_retire(struct system *system, seL4_CPtr slot);

// Copy a capability of the storage to an empty slot.
[[nodiscard]] seL4_Error pages_recall(
	const struct system *system, seL4_Word stored, seL4_CPtr slot);

// Private pages of a domain: program, stack and IPC buffer.
seL4_Word pages_of_domain(const struct system *system, uint32_t index);

// The part of a run's data that lies in page `index`.
struct page page_of(const uint8_t *data, seL4_Word data_size, seL4_Word bits, seL4_Word index);

// Make a frame in a new slot and fill it.
[[nodiscard]] seL4_Error page_make(const struct page *page, seL4_CPtr *frame);

[[nodiscard]] seL4_Error page_map(
	const struct space *space, const struct mapping *mapping, seL4_Word bits);

// Rights of a mapping with this enum system_access.
seL4_CapRights_t page_rights(uint32_t access);

// Program segments, stack and IPC buffer of a domain.
[[nodiscard]] seL4_Error pages_build_domain(struct system *system, uint32_t index);

// Map the stack page of a domain that contains an address inside the stack; `slot` is empty and in
// use until pages_close_stack. Null when it cannot be mapped.
const seL4_Word *pages_open_stack(
	const struct system *system, uint32_t domain, seL4_Word address, seL4_CPtr slot);
void pages_close_stack(seL4_CPtr slot);
