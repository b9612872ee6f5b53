// SPDX-License-Identifier: BSD-2-Clause
// Which part of the disk each client gets: settings, a line each, of the form
//   client NUMBER number=N|label=TEXT|type=TYPE|range=FIRST+COUNT [read-only]
// Pure.
#pragma once

#include <lib/block/server.h>
#include <nacre/settings.h>
#include <services/partition/table.h>

enum choice_kind {
	CHOICE_NONE, // no line for the client
	CHOICE_NUMBER,
	CHOICE_LABEL,
	CHOICE_TYPE,
	CHOICE_RANGE, // sectors of the disk, whatever its table says
};

struct choice {
	enum choice_kind kind;
	bool read_only;
	struct word word; // the label, in the settings
	uint64_t number; // of the partition
	uint64_t first; // of the range
	uint64_t count;
	bool is_gpt; // of the type
	uint8_t mbr_type;
	uint8_t type[GUID_BYTES];
};

enum choice_status {
	CHOICE_OK,
	CHOICE_NOT_MADE, // there is no line for the client
	CHOICE_NO_TABLE, // the disk's table is damaged, or it has none
	CHOICE_NOT_THERE, // no such partition
	CHOICE_AMBIGUOUS, // two with that label or type
	CHOICE_OVERLAPS, // the partition overlaps another
	CHOICE_OUTSIDE, // the range is not on the disk
};

extern const char *const choice_texts[];

// Reads all lines; 0, or the first line that is wrong. It and those after it choose nothing.
[[nodiscard]] unsigned choices_read(struct choice *choices, struct settings *settings);

// The sectors that the choice means on a disk with that table.
[[nodiscard]] enum choice_status choice_find(
	const struct choice *choice, const struct table *table, uint64_t *first, uint64_t *count);
