// SPDX-License-Identifier: BSD-2-Clause
// Reads the settings, and finds in the disk's table what they name.
#include <services/partition/choice.h>

#include <base/bits.h>
#include <base/memory.h>

enum {
	WORDS_LEAST = 3, // client, its number, the part
	WORDS_MOST = 4, // and read-only
	DECIMAL = 10,
	HEXADECIMAL = 16,
};

const char *const choice_texts[] = {
	[CHOICE_NOT_MADE] = "the settings have no line for it",
	[CHOICE_NO_TABLE] = "the disk has no partition table, or a damaged one",
	[CHOICE_NOT_THERE] = "there is no such partition",
	[CHOICE_AMBIGUOUS] = "two partitions are meant",
	[CHOICE_OVERLAPS] = "the partition overlaps another",
	[CHOICE_OUTSIDE] = "the range is not on the disk",
};

// A part of a GUID's text: hexadecimal digits, two a byte, as they follow each other.
static bool read_bytes(struct word word, uint8_t *bytes, size_t count) {
	if (word.length != 2 * count) return false;
	for (size_t i = 0; i < count; i++) {
		uint64_t value;

		if (!word_number((struct word){word.start + 2 * i, 2}, HEXADECIMAL, &value))
			return false;
		bytes[i] = (uint8_t)value;
	}
	return true;
}

static void reverse(uint8_t *bytes, size_t count) {
	for (size_t i = 0; i < count / 2; i++) {
		uint8_t kept = bytes[i];

		bytes[i] = bytes[count - 1 - i];
		bytes[count - 1 - i] = kept;
	}
}

// The disk has the first three parts as little-endian numbers (UEFI 2.10, appendix A).
static bool read_guid(struct word word, uint8_t *guid) {
	static const size_t sizes[] = {4, 2, 2, 2, 6};
	const size_t parts = sizeof(sizes) / sizeof(sizes[0]);
	size_t place = 0;

	for (size_t i = 0; i < parts; i++) {
		struct word part = word;

		if (i + 1 < parts && !word_split(word, '-', &part, &word)) return false;
		if (!read_bytes(part, guid + place, sizes[i])) return false;
		if (i < 3) reverse(guid + place, sizes[i]);
		place += sizes[i];
	}
	return true;
}

static bool read_type(struct word word, struct choice *choice) {
	uint64_t value;

	choice->is_gpt = read_guid(word, choice->type);
	if (choice->is_gpt) return true;
	if (!word_number(word, HEXADECIMAL, &value) || value == 0 || value > UINT8_MAX)
		return false;
	choice->mbr_type = (uint8_t)value;
	return true;
}

static bool read_range(struct word word, struct choice *choice) {
	struct word first;
	struct word count;

	return word_split(word, '+', &first, &count) &&
		word_number(first, DECIMAL, &choice->first) &&
		word_number(count, DECIMAL, &choice->count) && choice->count > 0;
}

static bool read_part(struct word word, struct choice *choice) {
	struct word rest;

	if (word_has_prefix(word, "number=", &rest)) {
		choice->kind = CHOICE_NUMBER;
		return word_number(rest, DECIMAL, &choice->number);
	}
	if (word_has_prefix(word, "label=", &rest)) {
		choice->kind = CHOICE_LABEL;
		choice->word = rest;
		return rest.length > 0;
	}
	if (word_has_prefix(word, "type=", &rest)) {
		choice->kind = CHOICE_TYPE;
		return read_type(rest, choice);
	}
	choice->kind = CHOICE_RANGE;
	return word_has_prefix(word, "range=", &rest) && read_range(rest, choice);
}

static bool read_line(struct choice *choices, const struct setting *setting) {
	const struct word *words = setting->words;
	struct choice choice = {0};
	uint64_t client;

	if (setting->count < WORDS_LEAST || setting->count > WORDS_MOST) return false;
	if (!word_is(words[0], "client") || !word_number(words[1], DECIMAL, &client)) return false;
	if (client >= BLOCK_CLIENTS || choices[client].kind != CHOICE_NONE) return false;
	choice.read_only = setting->count == WORDS_MOST;
	if (choice.read_only && !word_is(words[WORDS_LEAST], "read-only")) return false;
	if (!read_part(words[2], &choice)) return false;
	choices[client] = choice;
	return true;
}

unsigned choices_read(struct choice *choices, struct settings *settings) {
	struct setting setting;

	while (settings_next(settings, &setting))
		if (!read_line(choices, &setting)) return setting.line;
	return 0;
}

static bool is_meant(const struct choice *choice, const struct partition *partition) {
	switch (choice->kind) {
	case CHOICE_NUMBER: return partition->number == choice->number;
	case CHOICE_LABEL: return partition->is_gpt && word_is(choice->word, partition->label);
	case CHOICE_TYPE:
		if (partition->is_gpt != choice->is_gpt) return false;
		return choice->is_gpt ? memcmp(partition->type, choice->type, GUID_BYTES) == 0
				      : partition->mbr_type == choice->mbr_type;
	case CHOICE_NONE:
	case CHOICE_RANGE: break;
	}
	return false;
}

enum choice_status choice_find(
	const struct choice *choice, const struct table *table, uint64_t *first, uint64_t *count) {
	const struct partition *found = NULL;

	*first = choice->first;
	*count = choice->count;
	if (choice->kind == CHOICE_NONE) return CHOICE_NOT_MADE;
	if (choice->kind == CHOICE_RANGE)
		return range_fits(*first, *count, table->sectors) ? CHOICE_OK : CHOICE_OUTSIDE;
	if (table->state != TABLE_DONE || table->kind == TABLE_NONE) return CHOICE_NO_TABLE;
	for (unsigned i = 0; i < table->count; i++) {
		if (!is_meant(choice, &table->partitions[i])) continue;
		if (found) return CHOICE_AMBIGUOUS;
		found = &table->partitions[i];
	}
	if (!found) return CHOICE_NOT_THERE;
	if (!table_is_apart(table, found)) return CHOICE_OVERLAPS;
	*first = found->first;
	*count = found->count;
	return CHOICE_OK;
}
