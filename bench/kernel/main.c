// SPDX-License-Identifier: BSD-2-Clause
// Measurements of the kernel as the initial task: runs every row of every file, prints one line of
// JSON a figure and ends the emulator run.
#include <base/memory.h>
#include <stdarg.h>
#include <user/print.h>
#include <user/root/root.h>
#include "bench.h"

enum { BENCH_SLOTS = 3000 };

#define ROW_FILES(FILE) \
	FILE(ipc) \
	FILE(signal) \
	FILE(schedule) \
	FILE(fault) \
	FILE(interrupt) \
	FILE(mapping) \
	FILE(object) \
	FILE(capability) \
	FILE(vm_exit) \
	FILE(cores_local) \
	FILE(cores_remote) \
	FILE(cores_rate)

// By root_main.
static uint64_t arena_parent;
static const char *rows_wanted; // "+PREFIX" for each prefix of names; null: all rows

[[gnu::noreturn]] static void bench_end(uint8_t status) {
	machine_exit(status);
	for (;;)
		seL4_TCB_Suspend(seL4_CapInitThreadTCB);
}

void test_fail(struct place place, const char *format, ...) {
	va_list arguments;

	output("bench failed: %s:%d: ", place.file, place.line);
	va_start(arguments, format);
	output_list(format, arguments);
	va_end(arguments);
	output("\n");
	bench_end(1);
}

void helper_move(struct helper *helper) {
	uint64_t space = space_new();

	image_map(space);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SPACE, CAPS(NULL_CAP, ROOT_SLOT_CNODE, space),
		WORDS(0, 0)));
}

uint64_t untyped_find(uint64_t size_bits, _Bool is_device) {
	const struct bootinfo *info = world.bootinfo;

	for (uint64_t slot = info->untyped.start; slot < info->untyped.end; slot++) {
		const struct bootinfo_untyped *entry =
			&info->untyped_list[slot - info->untyped.start];

		if (entry->size_bits >= size_bits && entry->is_device == is_device &&
			slot != arena_parent)
			return slot;
	}
	return NULL_CAP;
}

void helper_become_passive(struct helper *helper) {
	settle();
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
}

// A boot module's name may say which rows to run: rows+PREFIX+PREFIX.
static void rows_choose(void) {
	static const char key[] = "rows";
	const struct bootinfo_chunk *chunk = chunk_find(BOOTINFO_MODULES);
	const struct bootinfo_module *modules;
	uint64_t count;

	if (!chunk) return;
	modules = (const void *)(chunk + 1);
	count = (chunk->length - sizeof(*chunk)) / sizeof(*modules);
	for (uint64_t index = 0; index < count; index++)
		if (memcmp(modules[index].name, key, sizeof(key) - 1) == 0)
			rows_wanted = modules[index].name + sizeof(key) - 1;
}

static _Bool name_begins(const char *name, const char *prefix) {
	while (*prefix != '\0' && *prefix != '+')
		if (*name++ != *prefix++) return 0;
	return 1;
}

static _Bool row_is_wanted(const struct row *row) {
	if (!rows_wanted) return 1;
	for (const char *at = rows_wanted; *at != '\0'; at++)
		if (*at == '+' && name_begins(row->name, at + 1)) return 1;
	return 0;
}

static void row_run(const struct row *row) {
	row->measure(row);
	if (!row_is_skipped(row)) samples_print(row);
	helpers_stop();
	(void)arena_empty();
	helpers_forget();
}

#define FILE_DECLARE(name) extern const struct row_file row_file_##name;
ROW_FILES(FILE_DECLARE)

void root_main(const seL4_BootInfo *bootinfo) {
#define FILE_ADDRESS(name) &row_file_##name,
	static const struct row_file *const files[] = {ROW_FILES(FILE_ADDRESS)};

	print_silence();
	world_see((const struct bootinfo *)bootinfo);
	world_slots_take(BENCH_SLOTS);
	rows_choose();
	output_start();
	counter_find();
	arena_parent = world_memory();
	world.arena = object_new_in(arena_parent, OBJECT_UNTYPED, ARENA_BITS);
	slots_keep();
	priority_main_set();
	for (unsigned file = 0; file < array_count(files); file++)
		for (size_t index = 0; index < files[file]->count; index++)
			if (row_is_wanted(&files[file]->rows[index]))
				row_run(&files[file]->rows[index]);
	output("bench done\n");
	bench_end(0);
}
