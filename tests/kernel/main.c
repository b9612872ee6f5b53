// SPDX-License-Identifier: BSD-2-Clause
// Kernel tests as the initial task: runs every test of every file, cleans up after each by revoking
// its memory, prints one line a test, and ends the emulator run.
#include <stdarg.h>
#include <base/format.h>
#include <user/print.h>
#include <user/root/root.h>
#include <user/slots.h>
#include "files.h"
#include "world.h"

struct world world; // written here, before the first test

static void *landing[5]; // of the running test; main thread only
static char reason[512];

enum { TEST_SLOTS = 3000 };

enum outcome { OUTCOME_RUNNING, OUTCOME_FAILED, OUTCOME_SKIPPED };

static enum outcome outcome; // of the running step

void test_fail(struct place place, const char *format, ...) {
	va_list arguments;
	int used = format_text(reason, sizeof(reason), "%s:%d: ", place.file, place.line);

	va_start(arguments, format);
	(void)format_text_list(reason + used, sizeof(reason) - (size_t)used, format, arguments);
	va_end(arguments);
	outcome = OUTCOME_FAILED;
	__builtin_longjmp(landing, 1);
}

void test_skip(const char *why) {
	(void)format_text(reason, sizeof(reason), "%s", why);
	outcome = OUTCOME_SKIPPED;
	__builtin_longjmp(landing, 1);
}

void check_equal(struct place place, const char *what, uint64_t actual, uint64_t expected) {
	if (actual != expected)
		test_fail(place, "%s is 0x%lx, expected 0x%lx", what, actual, expected);
}

void check_between(struct place place, const char *what, uint64_t actual, const uint64_t range[2]) {
	if (actual < range[0] || actual > range[1])
		test_fail(
			place, "%s is %lu, expected %lu to %lu", what, actual, range[0], range[1]);
}

void check_answer(
	struct place place, const struct message *answer, enum error error, struct words payload) {
	if (answer->label != error)
		test_fail(place, "answer %lu (%lx %lx), expected error %u", answer->label,
			answer->words[0], answer->words[1], error);
	if (answer->length != payload.count)
		test_fail(place, "error %u has length %u, expected %u", error, answer->length,
			payload.count);
	if (answer->badge != 0 || answer->caps != 0)
		test_fail(place, "error %u has badge %lx, caps %u", error, answer->badge,
			answer->caps);
	for (unsigned word = 0; word < payload.count; word++) {
		if (answer->words[word] != payload.items[word])
			test_fail(place, "error %u word %u is 0x%lx, expected 0x%lx", error, word,
				answer->words[word], payload.items[word]);
	}
}

void check_ok(struct place place, const struct message *answer) {
	if (answer->label != ERROR_NONE)
		test_fail(place, "error %lu, length %u: 0x%lx 0x%lx 0x%lx", answer->label,
			answer->length, answer->words[0], answer->words[1], answer->words[2]);
	if (answer->badge != 0 || answer->caps != 0)
		test_fail(place, "success with badge %lx, caps %u", answer->badge, answer->caps);
}

static void main_priority_set(void) {
	(void)invoke(
		ROOT_SLOT_TCB, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(PRIORITY_MAIN));
}

// Runs one step of a test under the watchdog; false when a check failed or asked to skip.
static __attribute__((noinline)) int step_run(void (*step)(void)) {
	watchdog_arm();
	if (__builtin_setjmp(landing) == 0) {
		step();
		watchdog_disarm();
		return 1;
	}
	watchdog_disarm();
	main_priority_set();
	return 0;
}

static void test_clean(void) {
	helpers_stop();
	arena_clean();
	helpers_forget();
}

static enum outcome test_try(const struct test *test) {
	enum outcome result;

	outcome = OUTCOME_RUNNING;
	(void)step_run(test->run);
	result = outcome;
	if (!step_run(test_clean) && result != OUTCOME_FAILED) result = OUTCOME_FAILED;
	return result;
}

static enum outcome test_run(const struct test *test, unsigned attempts) {
	static const char *const words[] = {"PASS", "FAIL", "SKIP"};
	enum outcome result = test_try(test);

	for (unsigned attempt = 1; attempt < attempts && result == OUTCOME_FAILED; attempt++)
		result = test_try(test);
	print("%s %s %s", words[result], test->id, test->sentence);
	if (result == OUTCOME_RUNNING)
		print("\n");
	else
		print(": %s\n", reason);
	return result;
}

static uint64_t arena_find(void) {
	const struct bootinfo *info = world.bootinfo;
	uint64_t count = info->untyped.end - info->untyped.start;
	uint64_t best = 0;

	for (uint64_t index = 0; index < count; index++) {
		const struct bootinfo_untyped *entry = &info->untyped_list[index];

		if (entry->is_device && entry->size_bits >= 13 && world.device == NULL_CAP)
			world.device = info->untyped.start + index;
		if (!entry->is_device &&
			(best == 0 ||
				entry->size_bits >
					info->untyped_list[best - info->untyped.start].size_bits))
			best = info->untyped.start + index;
	}
	return best;
}

static uint64_t tsc_frequency(void) {
	const struct bootinfo_chunk *chunk = chunk_find(BOOTINFO_TSC_FREQUENCY);

	return chunk == NULL ? 1000 : *(const uint32_t *)(chunk + 1);
}

static void world_make(void) {
	const struct bootinfo *info = world.bootinfo;
	uint64_t memory = arena_find();

	world.image_base = info->ipc_buffer - (image_page_count() << PAGE_BITS);
	world.sched_control = info->sched_control.start;
	world.slot_first = slots_allocate(TEST_SLOTS);
	world.slot_end = world.slot_first + TEST_SLOTS;
	world.arena = object_new_in(memory, OBJECT_UNTYPED, 16);
	watchdog_start();
	world.arena = object_new_in(memory, OBJECT_UNTYPED, ARENA_BITS);
	slots_keep();
	main_priority_set();
}

#define FILE_DECLARE(name) extern const struct test_file test_file_##name;
TEST_FILES(FILE_DECLARE)

void root_main(const seL4_BootInfo *bootinfo) {
#define FILE_ADDRESS(name) &test_file_##name,
	static const struct test_file *const files[] = {TEST_FILES(FILE_ADDRESS)};
	uint64_t counts[3] = {0};

	world.bootinfo = (const struct bootinfo *)bootinfo;
	// The watchdog measures the setup already.
	world.tsc_mhz = tsc_frequency();
	if (!step_run(world_make))
		print("FAIL setup the tests could not start: %s\n", reason);
	else
		for (unsigned file = 0; file < array_count(files); file++)
			for (size_t index = 0; index < files[file]->count; index++)
				counts[test_run(
					&files[file]->tests[index], files[file]->attempts)]++;
	print("%lu passed, %lu failed, %lu skipped\n", counts[0], counts[1], counts[2]);
	print("tests done\n");
	machine_exit(counts[1] == 0 && counts[0] != 0 ? 0 : 1);
	seL4_DebugHalt();
}
