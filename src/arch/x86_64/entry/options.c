// SPDX-License-Identifier: BSD-2-Clause
// Options from the command line, and messages about unknown ones.
#include <entry/options.h>

#include <abi/bootinfo.h>
#include <cpu/console.h>

enum { RATE_LEAST = 1000 }; // kilohertz: less is a wrong unit

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

// Readers of values: false if the text, up to a space or the end, is none.

static bool number_read(const char *text, unsigned base, unsigned *value) {
	uint64_t number = 0;

	do {
		unsigned digit = (unsigned)*text - (*text <= '9' ? '0' : 'a' - 10);

		number = number * base + digit;
		if (digit >= base || number > UINT32_MAX) return false;
		text++;
	} while (*text && *text != ' ');
	*value = (unsigned)number;
	return true;
}

static bool serial_read(const char *text, unsigned *value) {
	*value = 0;
	if (is_word(text, ' ', "none")) return true;
	return text[0] == '0' && text[1] == 'x' && number_read(text + 2, 16, value) && *value > 0 &&
		*value <= UINT16_MAX;
}

static bool log_read(const char *text, unsigned *value) {
	*value = (unsigned char)*text;
	return is_word(text, ' ', "all") || is_word(text, ' ', "none");
}

static bool root_cnode_read(const char *text, unsigned *value) {
	return number_read(text, 10, value) && *value >= ROOT_CNODE_MIN_BITS &&
		*value <= ROOT_CNODE_LIMIT_BITS;
}

static bool rate_read(const char *text, unsigned *value) {
	return number_read(text, 10, value) && *value >= RATE_LEAST;
}

static bool mode_read(const char *text, unsigned *value) {
	bool is_on = is_word(text, ' ', "on");
	bool is_off = is_word(text, ' ', "off");

	*value = is_on ? MODE_ON : is_off ? MODE_OFF : MODE_AUTO;
	return is_on || is_off || is_word(text, ' ', "auto");
}

static const struct row {
	const char *name;
	bool (*read)(const char *text, unsigned *value);
	unsigned missing; // the value where no word gives a good one
} rows[OPTION_MITIGATIONS] = {
	[OPTION_SERIAL] = {"serial", serial_read, CONSOLE_DEFAULT_PORT},
	[OPTION_LOG] = {"log", log_read, 0},
	[OPTION_ROOT_CNODE] = {"root-cnode-bits", root_cnode_read, 0},
	[OPTION_TSC] = {"tsc", rate_read, 0},
	[OPTION_PCID] = {"pcid", mode_read, MODE_AUTO},
	[OPTION_FAST_PATHS] = {"fastpath", mode_read, MODE_AUTO},
};

static struct row row_at(unsigned option) {
	if (option < OPTION_MITIGATIONS) return rows[option];
	return (struct row){
		mitigation_rows[option - OPTION_MITIGATIONS].name, mode_read, MODE_AUTO};
}

// The option named by the word, with its value, or OPTIONS.
static unsigned word_read(const char *word, unsigned *value) {
	uint64_t length = length_until(word, '=');

	for (unsigned i = 0; i < OPTIONS && word[length] == '='; i++) {
		struct row row = row_at(i);

		if (is_word(word, '=', row.name))
			return row.read(word + length + 1, value) ? i : OPTIONS;
	}
	return OPTIONS;
}

// The first word of the text, or its end.
static const char *word_first(const char *text) {
	while (*text == ' ')
		text++;
	return text;
}

static const char *word_next(const char *word) {
	return word_first(word + length_until(word, ' '));
}

void options_read(const char *command_line, unsigned options[OPTIONS]) {
	for (unsigned i = 0; i < OPTIONS; i++)
		options[i] = row_at(i).missing;
	for (const char *word = word_first(command_line); *word; word = word_next(word)) {
		unsigned value, option = word_read(word, &value);

		if (option < OPTIONS) options[option] = value;
	}
}

const char *options_behind_name(const char *command_line) {
	const char *name = word_first(command_line);
	uint64_t length = length_until(name, '=');

	return name[length] == '=' ? name : name + length;
}

const char *options_cut(char *command_line) {
	char *word = command_line;

	for (char *at = command_line; *at; at++)
		word = *at == ' ' ? at + 1 : word;
	if (word > command_line) word[-1] = '\0';
	return word;
}

void options_warn(const char *command_line) {
	unsigned value;

	for (const char *word = word_first(command_line); *word; word = word_next(word))
		if (word_read(word, &value) == OPTIONS)
			print("boot: no such option, or not with this value: %.*s\n",
				(int)length_until(word, ' '), word);
}
