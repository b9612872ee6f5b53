// SPDX-License-Identifier: BSD-2-Clause
// Maps frames. Tables made here are remembered, so that the missing ones can be made first. When
// the memory is wrong (the space is older, or its root slot was reused), the kernel's error says
// which table is missing, by the address bits below it, and the mapping is tried again.
#include <user/space.h>

#include <stdbool.h>

#include <user/slots.h>
#include <user/untyped.h>

enum {
	SPACE_LEVELS = 3,
	KNOWN_TABLES = 512,
	// Message words of a FailedLookup, see INV-9.
	LOOKUP_KIND_WORD = 1,
	LOOKUP_LEVEL_WORD = SEL4_MAPPING_LOOKUP_LEVEL,
};

struct table_row {
	seL4_Word missing;
	seL4_Word type;
	seL4_Word label;
};

struct space_format {
	seL4_Word root_type;
	seL4_Word frame_label;
	struct table_row tables[SPACE_LEVELS];
};

const struct space_format space_native = {
	.root_type = OBJECT_PML4,
	.frame_label = LABEL_FRAME_MAP,
	.tables =
		{
			{SEL4_MAPPING_LOOKUP_NO_PDPT, OBJECT_PDPT, LABEL_PDPT_MAP},
			{SEL4_MAPPING_LOOKUP_NO_PD, OBJECT_PAGE_DIRECTORY,
				LABEL_PAGE_DIRECTORY_MAP},
			{SEL4_MAPPING_LOOKUP_NO_PT, OBJECT_PAGE_TABLE, LABEL_PAGE_TABLE_MAP},
		},
};

const struct space_format space_guest = {
	.root_type = OBJECT_EPT_PML4,
	.frame_label = LABEL_FRAME_MAP_EPT,
	.tables =
		{
			{SEL4_MAPPING_LOOKUP_NO_EPTPDPT, OBJECT_EPT_PDPT, LABEL_EPT_PDPT_MAP},
			{SEL4_MAPPING_LOOKUP_NO_EPTPD, OBJECT_EPT_PD, LABEL_EPT_PD_MAP},
			{SEL4_MAPPING_LOOKUP_NO_EPTPT, OBJECT_EPT_PT, LABEL_EPT_PT_MAP},
		},
};

struct known_table {
	seL4_CPtr root;
	seL4_Word missing; // level
	seL4_Word prefix; // address bits the table translates
};

// Tables made so far, the oldest overwritten first. Written by this file only.
static struct known_table known[KNOWN_TABLES];
static unsigned known_next;

static bool table_is_known(const struct space *space, seL4_Word missing, seL4_Word address) {
	for (unsigned i = 0; i < KNOWN_TABLES; i++) {
		if (known[i].root == space->root && known[i].missing == missing &&
			known[i].prefix == address >> missing)
			return true;
	}
	return false;
}

static void table_remember(const struct space *space, seL4_Word missing, seL4_Word address) {
	known[known_next] = (struct known_table){space->root, missing, address >> missing};
	known_next = (known_next + 1) % KNOWN_TABLES;
}

// A new root may reuse the slot of a deleted one, whose tables are gone.
void space_forget_tables(const struct space *space) {
	for (unsigned i = 0; i < KNOWN_TABLES; i++) {
		if (known[i].root == space->root) known[i] = (struct known_table){0};
	}
}

// This kernel requires a table below a guest's large frame, too (abi-extensions.md 3). That is
// tried once, not for each frame, as a debug build prints each call that fails.
static bool large_frames_have_tables;

static bool table_is_wanted(const struct space *space, seL4_Word missing, seL4_Word frame_bits) {
	if (missing == frame_bits) return large_frames_have_tables && space->format == &space_guest;
	return missing > frame_bits;
}

static seL4_Error object_make_error(seL4_CPtr slot) {
	return slot ? seL4_NoError : seL4_NotEnoughMemory;
}

seL4_Error space_make(struct space *space, const struct space_format *format) {
	seL4_CPtr root = object_make(format->root_type, 0);
	seL4_Error error = object_make_error(root);

	*space = (struct space){format, root};
	space_forget_tables(space);
	if (!error) error = seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, root);
	return error;
}

static seL4_Error frame_map(const struct space *space, const struct mapping *mapping) {
	struct sel4_invocation call = {
		.label = space->format->frame_label,
		.caps = 1,
		.length = 3,
		.words = {mapping->address, mapping->rights.words[0], mapping->attributes},
	};

	seL4_SetCap(0, space->root);
	return sel4_invoke(mapping->frame, &call);
}

// All tables are mapped alike: the address is rounded down to what the table covers.
static seL4_Error table_map(
	seL4_CPtr table, seL4_Word label, const struct space *space, seL4_Word address) {
	struct sel4_invocation call = {
		.label = label, .caps = 1, .length = 2, .words = {address, 0}};

	seL4_SetCap(0, space->root);
	return sel4_invoke(table, &call);
}

static seL4_Error table_add(const struct space *space, seL4_Word address, seL4_Word missing) {
	for (int i = 0; i < SPACE_LEVELS; i++) {
		const struct table_row *row = &space->format->tables[i];
		seL4_CPtr table;
		seL4_Error error;

		if (row->missing != missing) continue;
		table = object_make(row->type, 0);
		error = object_make_error(table);
		if (!error) error = table_map(table, row->label, space, address);
		if (!error || error == seL4_DeleteFirst) table_remember(space, missing, address);
		return error;
	}
	return seL4_FailedLookup;
}

// A table that already exists is as good as a new one.
seL4_Error space_prepare(const struct space *space, seL4_Word address, seL4_Word frame_bits) {
	for (int i = 0; i < SPACE_LEVELS; i++) {
		seL4_Word missing = space->format->tables[i].missing;
		seL4_Error error;

		if (!table_is_wanted(space, missing, frame_bits) ||
			table_is_known(space, missing, address))
			continue;
		error = table_add(space, address, missing);
		if (error && error != seL4_DeleteFirst) return error;
	}
	return seL4_NoError;
}

seL4_Error space_map(const struct space *space, const struct mapping *mapping) {
	seL4_Error error = frame_map(space, mapping);
	seL4_Word missing;

	for (int i = 0; i < SPACE_LEVELS && error == seL4_FailedLookup; i++) {
		if (seL4_GetMR(LOOKUP_KIND_WORD) != seL4_MissingCapability) return error;
		missing = seL4_GetMR(LOOKUP_LEVEL_WORD);
		if (missing == mapping->bits) large_frames_have_tables = true;
		error = table_add(space, mapping->address, missing);
		if (!error) error = frame_map(space, mapping);
	}
	return error;
}

struct space space_own(void) {
	return (struct space){&space_native, seL4_CapInitThreadVSpace};
}
