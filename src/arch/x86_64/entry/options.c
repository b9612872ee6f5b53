// SPDX-License-Identifier: BSD-2-Clause
// Options from the command line.
#include <entry/options.h>

#include <abi/bootinfo.h>
#include <cpu/console.h>
#include <cpu/features.h>

#define MODES "auto on off" // enum option_mode

// The values of an option: one of these words, which stands for its number, or a number.
static const struct row {
	const char *name, *words;
	unsigned least, most; // of a number
	unsigned missing; // the value where no word gives a good one
} rows[OPTION_MITIGATIONS] = {
	[OPTION_SERIAL] = {"serial", "none", 1, UINT16_MAX, CONSOLE_DEFAULT_PORT},
	[OPTION_CONSOLE] = {"console", "auto serial screen", 0, 0, CONSOLE_ALL},
	[OPTION_LOG] = {"log", "auto all none", 0, 0, LOG_AUTO},
	[OPTION_ROOT_CNODE] = {"root-cnode-bits", "", ROOT_CNODE_MIN_BITS, ROOT_CNODE_LIMIT_BITS,
		0},
	[OPTION_TSC] = {"tsc", "", 1000, UINT32_MAX, 0}, // less is a wrong unit
	[OPTION_CORES] = {"cores", "", 1, ACPI_MAX_CORES, ACPI_MAX_CORES},
	[OPTION_DOMAINS] = {"domains", "", 1, DOMAINS, 1},
	[OPTION_BIG_LOCK] = {"biglock", MODES, 0, 0, MODE_AUTO},
	[OPTION_IOMMU] = {"iommu", MODES, 0, 0, MODE_AUTO},
	[OPTION_PANIC] = {"panic", "halt reboot", 0, 0, 0},
	[OPTION_SELF_TEST] = {"selftest", "quick full off", 0, 0, SELF_TEST_QUICK},
	[OPTION_REPORT] = {"report", "off on only", 0, 0, REPORT_OFF},
	[OPTION_X2APIC] = {"x2apic", MODES, 0, 0, MODE_AUTO},
	[OPTION_DEADLINE] = {"deadline", MODES, 0, 0, MODE_AUTO},
	[OPTION_VMX] = {"vmx", MODES, 0, 0, MODE_AUTO},
	[OPTION_SVM] = {"svm", MODES, 0, 0, MODE_AUTO},
	[OPTION_PCID] = {"pcid", MODES, 0, 0, MODE_AUTO},
	[OPTION_FAST_PATHS] = {"fastpath", MODES, 0, 0, MODE_AUTO},
};

static struct row row_at(unsigned option) {
	if (option < OPTION_MITIGATIONS) return rows[option];
	return (struct row){mitigation_names[option - OPTION_MITIGATIONS], MODES, 0, 0, MODE_AUTO};
}

static uint64_t length_until(const char *text, char end) {
	uint64_t length = 0;

	while (text[length] && text[length] != ' ' && text[length] != end)
		length++;
	return length;
}

// Text and word are the same, each up to a space or its end.
static bool is_word(const char *text, char end, const char *word) {
	uint64_t length = length_until(word, end);

	return length_until(text, end) == length && memcmp(text, word, length) == 0;
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

// Readers of values: false if the text, up to a space or the end, is none.

static bool number_read(const char *text, unsigned *value) {
	unsigned base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
	uint64_t number = 0;

	if (base == 16) text += 2;
	do {
		unsigned digit = (unsigned)*text - (*text <= '9' ? '0' : 'a' - 10);

		number = number * base + digit;
		if (digit >= base || number > UINT32_MAX) return false;
		text++;
	} while (*text && *text != ' ');
	*value = (unsigned)number;
	return true;
}

static bool value_read(const struct row *row, const char *text, unsigned *value) {
	*value = 0;
	for (const char *word = row->words; *word; word = word_next(word), ++*value)
		if (is_word(text, ' ', word)) return true;
	return number_read(text, value) && *value && *value >= row->least && *value <= row->most;
}

// The option named by the word, with its value, or OPTIONS.
static unsigned word_read(const char *word, unsigned *value) {
	uint64_t length = length_until(word, '=');

	for (unsigned i = 0; i < OPTIONS && word[length] == '='; i++) {
		struct row row = row_at(i);

		if (is_word(word, '=', row.name))
			return value_read(&row, word + length + 1, value) ? i : OPTIONS;
	}
	return OPTIONS;
}

void options_read(const char *command_line, unsigned options[OPTIONS], bool complains) {
	for (unsigned i = 0; i < OPTIONS; i++)
		options[i] = row_at(i).missing;
	for (const char *word = word_first(command_line); *word; word = word_next(word)) {
		unsigned value, option = word_read(word, &value);

		if (option < OPTIONS)
			options[option] = value;
		else if (complains)
			print("boot: no such option, or not with this value: %.*s\n",
				(int)length_until(word, ' '), word);
	}
}

#define HIDDEN(option, feature) ((uint64_t)(options[option] == MODE_OFF) << (feature))

uint64_t options_hidden(const unsigned options[OPTIONS]) {
	return HIDDEN(OPTION_X2APIC, FEATURE_X2APIC) | HIDDEN(OPTION_VMX, FEATURE_VMX) |
		HIDDEN(OPTION_DEADLINE, FEATURE_TSC_DEADLINE) | HIDDEN(OPTION_SVM, FEATURE_SVM);
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
