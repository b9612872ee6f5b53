// SPDX-License-Identifier: BSD-2-Clause
// A ring of lines. Its counters never wrap; only the writer moves the head and only the printer the
// tail.
#include <root/journal.h>

#include <stddef.h>

#include <base/format.h>

static uint32_t lines_used(const struct journal *journal) {
	return journal->head - __atomic_load_n(&journal->tail, __ATOMIC_ACQUIRE);
}

static struct journal_line *line_at(struct journal *journal, uint32_t count) {
	return &journal->lines[count % JOURNAL_LINES];
}

static void publish(struct journal *journal, uint8_t priority) {
	struct journal_line *line = line_at(journal, journal->head);

	line->priority = priority;
	line->length = (uint8_t)journal->length;
	journal->length = 0;
	__atomic_store_n(&journal->head, journal->head + 1, __ATOMIC_RELEASE);
}

void journal_count_dropped(struct journal *journal) {
	if (journal->dropped == 0 || journal->length > 0 || journal->dropping ||
		lines_used(journal) > JOURNAL_LINES / 2)
		return;
	journal->length = (uint32_t)format_text(line_at(journal, journal->head)->text,
		JOURNAL_LINE_SIZE, "system: %u lines were lost here: the console was too slow\n",
		journal->dropped);
	publish(journal, journal->dropped_priority);
	journal->dropped = 0;
	journal->dropped_priority = 0;
}

static void drop(struct journal *journal) {
	journal->dropping = true;
	journal->dropped++;
	if (journal->priority > journal->dropped_priority)
		journal->dropped_priority = journal->priority;
}

void journal_put(struct journal *journal, char character) {
	if (journal->length == 0 && !journal->dropping) {
		journal_count_dropped(journal);
		if (journal->dropped > 0 || lines_used(journal) == JOURNAL_LINES) drop(journal);
	}
	if (!journal->dropping && (journal->length < JOURNAL_LINE_SIZE - 1 || character == '\n'))
		line_at(journal, journal->head)->text[journal->length++] = character;
	if (character != '\n') return;
	if (!journal->dropping) publish(journal, journal->priority);
	journal->dropping = false;
}

int journal_priority(const struct journal *journal) {
	int highest = -1;

	for (uint32_t i = journal->head - lines_used(journal); i != journal->head; i++) {
		int priority = journal->lines[i % JOURNAL_LINES].priority;

		if (priority > highest) highest = priority;
	}
	return highest;
}

const struct journal_line *journal_first(const struct journal *journal) {
	if (__atomic_load_n(&journal->head, __ATOMIC_ACQUIRE) == journal->tail) return NULL;
	return &journal->lines[journal->tail % JOURNAL_LINES];
}

void journal_remove_first(struct journal *journal) {
	__atomic_store_n(&journal->tail, journal->tail + 1, __ATOMIC_RELEASE);
}
