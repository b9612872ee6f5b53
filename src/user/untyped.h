// SPDX-License-Identifier: BSD-2-Clause
// Memory of the initial task: makes objects out of the untyped capabilities of BootInfo.
#pragma once

#include <stdbool.h>

#include <sel4/sel4.h>

enum { UNTYPED_BLOCK_LIMIT = 4096 }; // untypeds that can be tracked

void untyped_init(const seL4_BootInfo *bootinfo);

// Memory an object takes, as a power of two; `size_bits` matters for CNodes, untypeds and
// scheduling contexts. 0 for an unknown type.
seL4_Word object_bits(seL4_Word type, seL4_Word size_bits);

// Make an object from RAM in the given empty slot.
[[nodiscard]] seL4_Error untyped_make(seL4_Word type, seL4_Word size_bits, seL4_CPtr slot);

// The same in a new slot; 0 when slots or memory are used up or the kernel refuses.
[[nodiscard]] seL4_CPtr object_make(seL4_Word type, seL4_Word size_bits);

// Make a frame (or untyped) at a physical address, device memory or RAM not used yet. RangeError if
// there is none. Ascending addresses need no additional untypeds.
[[nodiscard]] seL4_Error untyped_make_at(
	seL4_Word type, seL4_Word size_bits, seL4_Word paddr, seL4_CPtr slot);

// Whether each page of 2^page_bits bytes of a range can be made by untyped_make_at; else the first
// address that cannot.
[[nodiscard]] bool untyped_covers(
	seL4_Word paddr, seL4_Word size, seL4_Word page_bits, seL4_Word *missing);

// Reserve the RAM in this range for untyped_make_at: no other object is made of it. Parts that are
// in use already, or no RAM, stay as they are.
[[nodiscard]] seL4_Error untyped_keep(seL4_Word paddr, seL4_Word size);

// Set memory apart for an owner (1..255): objects made while it is selected come out of it and can
// be destroyed all at once.
[[nodiscard]] seL4_Error untyped_reserve(unsigned owner, seL4_Word bytes);

// Make objects from this owner's memory from now on; 0 is memory without an owner.
void untyped_select(unsigned owner);

// Destroy all objects in the owner's memory, with every capability to them, and free their slots.
[[nodiscard]] seL4_Error untyped_revoke(unsigned owner);

// After slots_delete_all: nothing is made of the untypeds of BootInfo any more.
void untyped_reset(void);

// Whether the device memory that BootInfo has includes these bytes.
[[nodiscard]] bool untyped_is_device(seL4_Word paddr, seL4_Word size);

seL4_Word untyped_blocks_left(void);

// Bytes of RAM not allocated yet, and how many objects of 2^bits bytes fit in them.
seL4_Word untyped_left(void);
seL4_Word untyped_room(seL4_Word bits);
