// SPDX-License-Identifier: BSD-2-Clause
// Kernel tests as the initial task: runs every test of every file, cleans up after each by revoking
// its memory, prints one line a test, and ends the emulator run.
#include <stdarg.h>
#include <base/format.h>
#include <user/print.h>
#include <user/root/root.h>
#include <x86/cpuid.h>
#include "files.h"
#include "world.h"

static void *landing[5]; // of the running test; main thread only
static char reason[512];

enum { TEST_SLOTS = 3000, FAILED_MOST = 20 };

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

bool test_has_fsgsbase(void) { return cpuid(LEAF_STRUCTURED, 0).ebx & LEAF_7_EBX_FSGSBASE; }

void test_skip(const char *why) {
	(void)format_text(reason, sizeof(reason), "%s", why);
	outcome = OUTCOME_SKIPPED;
	__builtin_longjmp(landing, 1);
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
	priority_main_set();
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

// Named again at the end, for who reads a screen.
static const char *failed[FAILED_MOST];
static unsigned failed_count;

static enum outcome test_run(const struct test *test, unsigned attempts) {
	static const char *const words[] = {"PASS", "FAIL", "SKIP"};
	enum outcome result = test_try(test);

	for (unsigned attempt = 1; attempt < attempts && result == OUTCOME_FAILED; attempt++)
		result = test_try(test);
	if (result == OUTCOME_FAILED && failed_count < FAILED_MOST)
		failed[failed_count++] = test->id;
	print("%s %s %s", words[result], test->id, test->sentence);
	if (result == OUTCOME_RUNNING)
		print("\n");
	else
		print(": %s\n", reason);
	return result;
}

// Behind a space, the id of the only test that is to run; none: all do. Written into the program by
// who starts it (tools/nacre/test/planted.py).
static volatile char chosen[64] = "only this test:";

static bool is_chosen(const char *id) {
	const volatile char *only = chosen + sizeof("only this test:") - 1;

	if (!*only++) return true;
	while (*id && *only == *id)
		id++, only++;
	return *only == *id;
}

static void world_make(void) {
	uint64_t memory = world_memory();

	world_slots_take(TEST_SLOTS);
	world.arena = object_new_in(memory, OBJECT_UNTYPED, 16);
	watchdog_start();
	world.arena = object_new_in(memory, OBJECT_UNTYPED, ARENA_BITS);
	slots_keep();
	priority_main_set();
}

void root_main(const seL4_BootInfo *bootinfo) {
	uint64_t counts[3] = {0};

	// The watchdog measures the setup already.
	world_see((const struct bootinfo *)bootinfo);
	print("tests on %lu cores\n", world.bootinfo->node_count);
	if (!step_run(world_make))
		print("FAIL setup the tests could not start: %s\n", reason);
	else
		for (unsigned file = 0; file < test_file_count; file++)
			for (size_t index = 0; index < test_files[file]->count; index++)
				if (is_chosen(test_files[file]->tests[index].id))
					counts[test_run(&test_files[file]->tests[index],
						test_files[file]->attempts)]++;
	for (unsigned i = 0; i < failed_count; i++)
		print("failed: %s\n", failed[i]);
	print("%lu passed, %lu failed, %lu skipped\n", counts[0], counts[1], counts[2]);
	print("tests done\n");
	machine_exit(counts[1] == 0 && counts[0] != 0 ? 0 : 1);
	seL4_DebugHalt();
}
