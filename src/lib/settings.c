// SPDX-License-Identifier: BSD-2-Clause
// Settings of a component as text.
#include <nacre/settings.h>

enum {
	IPV4_BYTES = 4,
};

static bool is_blank(char character) {
	return character == ' ' || character == '\t' || character == '\r';
}

// The words of one line; `position` moves to the end of the line.
static void read_line(struct settings *settings, struct setting *setting) {
	bool in_comment = false;
	bool in_word = false;

	*setting = (struct setting){.line = ++settings->line};
	for (; settings->position < settings->size; settings->position++) {
		const char *here = settings->text + settings->position;

		if (*here == '\n' || *here == '\0') return;
		if (*here == '#') in_comment = true;
		if (in_comment || is_blank(*here)) {
			in_word = false;
			continue;
		}
		if (!in_word) {
			if (setting->count == SETTINGS_WORDS)
				in_comment = true;
			else
				setting->words[setting->count++].start = here;
		}
		in_word = !in_comment;
		if (in_word) setting->words[setting->count - 1].length++;
	}
}

bool settings_next(struct settings *settings, struct setting *setting) {
	while (settings->position < settings->size && settings->text[settings->position] != '\0') {
		read_line(settings, setting);
		if (settings->position < settings->size &&
			settings->text[settings->position] == '\n')
			settings->position++;
		if (setting->count > 0) return true;
	}
	return false;
}

bool word_has_prefix(struct word word, const char *prefix, struct word *rest) {
	size_t i = 0;

	for (; prefix[i]; i++) {
		if (i >= word.length || word.start[i] != prefix[i]) return false;
	}
	*rest = (struct word){word.start + i, word.length - i};
	return true;
}

bool word_is(struct word word, const char *text) {
	struct word rest;

	return word_has_prefix(word, text, &rest) && rest.length == 0;
}

bool word_split(struct word word, char separator, struct word *left, struct word *right) {
	for (size_t i = 0; i < word.length; i++) {
		if (word.start[i] != separator) continue;
		*left = (struct word){word.start, i};
		*right = (struct word){word.start + i + 1, word.length - i - 1};
		return true;
	}
	return false;
}

static unsigned digit_of(char character) {
	if (character >= '0' && character <= '9') return (unsigned)(character - '0');
	if (character >= 'a' && character <= 'f') return (unsigned)(character - 'a') + 10;
	if (character >= 'A' && character <= 'F') return (unsigned)(character - 'A') + 10;
	return ~0u;
}

bool word_number(struct word word, unsigned base, uint64_t *value) {
	if (word_has_prefix(word, "0x", &word)) base = 16;
	if (word.length == 0) return false;
	*value = 0;
	for (size_t i = 0; i < word.length; i++) {
		unsigned digit = digit_of(word.start[i]);

		if (digit >= base || *value > (UINT64_MAX - digit) / base) return false;
		*value = *value * base + digit;
	}
	return true;
}

// Bytes between separators: each number fits a byte, and there are exactly as many as expected.
static bool word_bytes(
	struct word word, char separator, unsigned base, uint8_t *bytes, size_t count) {
	for (size_t i = 0; i < count; i++) {
		struct word part = word;
		uint64_t value;

		if (i + 1 < count && !word_split(word, separator, &part, &word)) return false;
		if (part.length > 3 || !word_number(part, base, &value) || value > UINT8_MAX)
			return false;
		bytes[i] = (uint8_t)value;
	}
	return true;
}

bool word_mac(struct word word, uint8_t mac[MAC_BYTES]) {
	return word_bytes(word, ':', 16, mac, MAC_BYTES);
}

bool word_ipv4(struct word word, uint32_t *address) {
	uint8_t bytes[IPV4_BYTES];

	if (!word_bytes(word, '.', 10, bytes, IPV4_BYTES)) return false;
	*address = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
		bytes[3];
	return true;
}
