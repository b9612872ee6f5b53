// SPDX-License-Identifier: BSD-2-Clause
// Options from the command line, and complaints about what is none.
#include <entry/options.h>

#include <cpu/console.h>
#include <entry/multiboot.h>

// Hexadecimal with 0x before it; all else, like "none", is 0.
static uint16_t port_read(const char *text) {
	uint64_t value = 0;

	if (text[0] != '0' || text[1] != 'x') return 0;
	for (text += 2;; text++) {
		unsigned digit = *text >= 'a' ? (unsigned)*text - 'a' + 10 : (unsigned)*text - '0';

		if (digit >= 16) return (uint16_t)value;
		value = value * 16 + digit;
	}
}

static uint64_t length_until(const char *text, char end) {
	uint64_t length = 0;

	while (text[length] && text[length] != ' ' && text[length] != end)
		length++;
	return length;
}

// Text is the word, up to a space or the end.
static bool is_word(const char *text, char end, const char *word) {
	for (; *word; word++, text++) {
		if (*text != *word) return false;
	}
	return !*text || *text == ' ' || *text == end;
}

static enum wish wish_read(const char *command_line, const char *name) {
	const char *value = multiboot_option(command_line, name);

	if (value && is_word(value, ' ', "on")) return WISH_ON;
	if (value && is_word(value, ' ', "off")) return WISH_OFF;
	return WISH_AUTO;
}

void options_read(const char *command_line, struct options *options) {
	const char *serial = multiboot_option(command_line, "serial");
	const char *log = multiboot_option(command_line, "log");

	*options = (struct options){
		.serial = serial ? port_read(serial) : CONSOLE_DEFAULT_PORT,
		.log = log ? *log : 0,
		.pcid = wish_read(command_line, "pcid"),
		.fast_paths = wish_read(command_line, "fastpath"),
	};
	for (unsigned i = 0; i < DEFENCE_OPTIONS; i++)
		options->defences[i] = wish_read(command_line, defence_names[i]);
}

static bool is_switch(const char *word) {
	for (unsigned i = 0; i < DEFENCE_OPTIONS; i++) {
		if (is_word(word, '=', defence_names[i])) return true;
	}
	return is_word(word, '=', "pcid") || is_word(word, '=', "fastpath");
}

static bool is_good(const char *word) {
	const char *value = word + length_until(word, '=') + 1;

	if (!is_switch(word)) return is_word(word, '=', "serial") || is_word(word, '=', "log");
	return is_word(value, ' ', "on") || is_word(value, ' ', "off") ||
		is_word(value, ' ', "auto");
}

void options_warn(const char *command_line) {
	for (const char *word = command_line; *word; word++) {
		uint64_t length = length_until(word, ' ');

		// A word without = is the kernel's own name, which some loaders pass.
		if (length_until(word, '=') < length && !is_good(word))
			print("boot: no such option, or not with this value: %.*s\n", (int)length,
				word);
		word += length;
		if (!*word) return;
	}
}
