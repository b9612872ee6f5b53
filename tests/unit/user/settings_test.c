// SPDX-License-Identifier: BSD-2-Clause
// Settings as text: lines, words, numbers and addresses, right and wrong.
#include "test.h"

#include <nacre/settings.h>
#include <stdlib.h>
#include <string.h>

static struct settings of_text(const char *text) {
	return (struct settings){.text = text, .size = strlen(text)};
}

static struct word of_word(const char *text) { return (struct word){text, strlen(text)}; }

static void lines(void) {
	struct settings settings = of_text(
		"\n# all of it\n  port 1\topen # rest\r\n\nlast a b c d e f g h i");
	struct setting setting;

	check(settings_next(&settings, &setting) && setting.line == 3 && setting.count == 3);
	check(word_is(setting.words[0], "port") && word_is(setting.words[1], "1") &&
		word_is(setting.words[2], "open"));
	check(settings_next(&settings, &setting) && setting.line == 5);
	check(setting.count == SETTINGS_WORDS && word_is(setting.words[7], "g"));
	check(!settings_next(&settings, &setting) && !settings_next(&settings, &setting));
}

// A region has zeros after the file, and none when the file fills it.
static void ends(void) {
	struct settings settings = {.text = "a\0b\n", .size = 4};
	struct setting setting;
	char *full = malloc(3);

	check(settings_next(&settings, &setting) && word_is(setting.words[0], "a"));
	check(!settings_next(&settings, &setting));
	memcpy(full, "a b", 3);
	settings = settings_of((uint64_t)full, 3);
	check(settings_next(&settings, &setting) && setting.count == 2 &&
		word_is(setting.words[1], "b"));
	check(!settings_next(&settings, &setting));
	free(full);
	settings = settings_of(0, 4096);
	check(!settings_next(&settings, &setting));
}

static void numbers(void) {
	uint64_t value = 0;

	check(word_number(of_word("0"), 10, &value) && value == 0);
	check(word_number(of_word("18446744073709551615"), 10, &value) && value == UINT64_MAX);
	check(!word_number(of_word("18446744073709551616"), 10, &value));
	check(word_number(of_word("0xd0000000"), 10, &value) && value == 0xd0000000);
	check(word_number(of_word("00fF"), 16, &value) && value == 255);
	check(!word_number(of_word("12a"), 10, &value) && !word_number(of_word(""), 10, &value));
	check(!word_number(of_word("0x"), 16, &value) && !word_number(of_word("-1"), 10, &value));
}

static void addresses(void) {
	uint8_t mac[MAC_BYTES];
	uint32_t ip;

	check(word_mac(of_word("52:54:00:12:34:0f"), mac) && mac[0] == 0x52 && mac[5] == 0x0f);
	check(!word_mac(of_word("52:54:00:12:34"), mac));
	check(!word_mac(of_word("52:54:00:12:34:56:78"), mac));
	check(!word_mac(of_word("52:54:00:12:34:156"), mac));
	check(!word_mac(of_word("52:54::12:34:56"), mac));
	check(word_ipv4(of_word("10.0.2.255"), &ip) && ip == 0x0a0002ff);
	check(!word_ipv4(of_word("10.0.2.256"), &ip) && !word_ipv4(of_word("10.0.2"), &ip));
	check(!word_ipv4(of_word("10.0.2.1.1"), &ip) && !word_ipv4(of_word("10.0.2.0001"), &ip));
}

static const struct test rows[] = {
	{"user/settings/lines", "words of lines are found, comments and the rest are not", lines},
	{"user/settings/ends", "a text ends at its NUL or with its region", ends},
	{"user/settings/numbers", "a number is a whole word and fits 64 bits", numbers},
	{"user/settings/addresses", "addresses have the right number of bytes", addresses},
};

const struct tests settings_tests = {rows, array_count(rows)};
