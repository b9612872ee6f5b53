// SPDX-License-Identifier: BSD-2-Clause
// The initial task's journal: order, priorities, long lines, and the count of lines that were lost.
#include "test.h"

#include <root/journal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// On the heap and of the exact size, so that the sanitizer sees a step outside.
static struct journal *journal;

static void start(uint32_t counter) {
	free(journal);
	journal = calloc(1, sizeof(*journal));
	journal->head = counter;
	journal->tail = counter;
}

static void write(uint8_t priority, const char *text) {
	journal->priority = priority;
	while (*text != 0)
		journal_put(journal, *text++);
}

static bool prints(uint8_t priority, const char *text) {
	const struct journal_line *line = journal_first(journal);
	bool same = line && line->priority == priority && line->length == strlen(text) &&
		memcmp(line->text, text, line->length) == 0;

	if (line) journal_remove_first(journal);
	return same;
}

static void test_order(void) {
	start(0xfffffffe);
	check(journal_priority(journal) == -1 && !journal_first(journal));
	write(7, "one\ntwo\nhalf");
	check(journal_priority(journal) == 7);
	write(200, " and half\n");
	write(3, "low\n");
	check(journal_priority(journal) == 200);
	check(prints(7, "one\n") && prints(7, "two\n") && prints(200, "half and half\n"));
	check(journal_priority(journal) == 3);
	check(prints(3, "low\n") && !journal_first(journal));
}

static void test_long_line(void) {
	char text[2 * JOURNAL_LINE_SIZE];

	start(0);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = 0;
	write(1, text);
	write(1, "next\n");
	text[JOURNAL_LINE_SIZE - 1] = '\n';
	text[JOURNAL_LINE_SIZE] = 0;
	check(prints(1, text) && prints(1, "next\n"));
}

static void test_lost(void) {
	char text[32];

	start(0xffffffc0);
	for (unsigned i = 0; i < JOURNAL_LINES + 10; i++) {
		snprintf(text, sizeof(text), "line %u\n", i);
		write((uint8_t)(i < JOURNAL_LINES ? 5 : 9), text);
	}
	check(journal_priority(journal) == 5);
	check(prints(5, "line 0\n"));
	// One free place is not enough to continue: each further line would be a count.
	write(5, "lost\n");
	for (unsigned i = 1; i < JOURNAL_LINES / 2; i++) {
		snprintf(text, sizeof(text), "line %u\n", i);
		check(prints(5, text));
	}
	write(6, "again\n");
	check(journal_priority(journal) == 9);
	for (unsigned i = JOURNAL_LINES / 2; i < JOURNAL_LINES; i++) {
		snprintf(text, sizeof(text), "line %u\n", i);
		check(prints(5, text));
	}
	check(prints(9, "system: 11 lines were lost here: the console was too slow\n"));
	check(prints(6, "again\n") && !journal_first(journal));
}

// The count comes without a further line, too, but not in the middle of one.
static void test_lost_last(void) {
	start(0);
	for (unsigned i = 0; i <= JOURNAL_LINES; i++)
		write(4, "line\n");
	write(4, "cut");
	for (unsigned i = 0; i < JOURNAL_LINES; i++)
		check(prints(4, "line\n"));
	journal_count_dropped(journal);
	check(!journal_first(journal));
	write(4, " off\n");
	journal_count_dropped(journal);
	check(prints(4, "system: 2 lines were lost here: the console was too slow\n"));
	check(!journal_first(journal));
	free(journal);
	journal = NULL;
}

static const struct test rows[] = {
	{"user/journal/order", "lines are printed in order, each with its priority", test_order},
	{"user/journal/long", "a line that is too long is cut and ends where it must",
		test_long_line},
	{"user/journal/lost", "lines that find no room are counted in their place", test_lost},
	{"user/journal/last", "a count needs no further line, and splits none", test_lost_last},
};

const struct tests journal_tests = {rows, array_count(rows)};
