// SPDX-License-Identifier: BSD-2-Clause
// Maps frames in native and guest address spaces and creates missing tables.
#pragma once

#include <sel4/sel4.h>

struct space_format;

// Formats: native (root: PML4) and guest-physical (root: EPT PML4).
extern const struct space_format space_native;
extern const struct space_format space_guest;

struct space {
	const struct space_format *format;
	seL4_CPtr root;
};

// One mapping: the attributes are seL4_X86_VMAttributes or seL4_X86_EPT_VMAttributes.
struct mapping {
	seL4_CPtr frame;
	seL4_Word address;
	seL4_CapRights_t rights;
	seL4_Word attributes;
	seL4_Word bits; // of the frame's size
};

// Make a root with an address-space identifier from the task's own pool.
[[nodiscard]] seL4_Error space_make(struct space *space, const struct space_format *format);

// Make the tables that a frame of this size needs at the address, before the mapping fails for
// them.
[[nodiscard]] seL4_Error space_prepare(
	const struct space *space, seL4_Word address, seL4_Word frame_bits);

// Map; tables that are missing are made when the kernel reports them.
[[nodiscard]] seL4_Error space_map(const struct space *space, const struct mapping *mapping);

// Its tables, but for those that the kernel gave, are gone.
void space_forget_tables(const struct space *space);

// The initial task's own space.
struct space space_own(void);
