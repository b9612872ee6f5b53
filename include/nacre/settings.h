// SPDX-License-Identifier: BSD-2-Clause
// Settings of a component as text, in a region prefilled from a file: a line each, words between
// blanks, `#` starts a comment. Pure; the reader goes no further than the region.
#pragma once

#include <abi/compiler.h>

#include <sel4/macros.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SETTINGS_WORDS = 8, // words on a line at most; the rest of a longer one is ignored
	MAC_BYTES = 6,
};

struct settings {
	const char *text;
	size_t size;
	size_t position;
	unsigned line; // of the setting read last, from 1
};

struct word {
	const char *start;
	size_t length;
};

struct setting {
	unsigned line;
	unsigned count;
	struct word words[SETTINGS_WORDS];
};

// The text ends at its size or at the first NUL.
static inline struct settings settings_of(uint64_t vaddr, uint64_t size) {
	struct settings settings = {(const char *)vaddr, vaddr ? size : 0, 0, 0};

	return settings;
}

SEL4_C_BEGIN

// The next line that has words; false at the end.
ABI_MUST_USE bool settings_next(struct settings *settings, struct setting *setting);

ABI_MUST_USE bool word_is(struct word word, const char *text);

// When the word starts with the prefix: its remainder.
ABI_MUST_USE bool word_has_prefix(struct word word, const char *prefix, struct word *rest);

// Split at the first separator; false when there is none.
ABI_MUST_USE bool word_split(
	struct word word, char separator, struct word *left, struct word *right);

// The whole word as a number: in that base (10 or 16), with `0x` always in base 16.
ABI_MUST_USE bool word_number(struct word word, unsigned base, uint64_t *value);

// 52:54:00:12:34:56.
ABI_MUST_USE bool word_mac(struct word word, uint8_t mac[MAC_BYTES]);

// 10.0.2.15, as a number whose highest byte is the first.
ABI_MUST_USE bool word_ipv4(struct word word, uint32_t *address);

SEL4_C_END
