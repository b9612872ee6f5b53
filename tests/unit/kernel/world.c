// SPDX-License-Identifier: BSD-2-Clause
// The kernel under test, and calls to it without system call registers.
#include "world.h"

#include "test.h"
#include <abi/bootinfo.h>
#include <cpu/percpu.h>
#include <sched/schedule.h>
#include <cap/object.h>
#include <stdalign.h>
#include <string.h>

enum {
	FILE_SIZE = 4096,
	ENTRY = 0x400000,
};

struct world world;

static alignas(64) struct slot loose_slots[WORLD_SLOTS];

// Smallest file that boot_root takes: one segment of one page, read and executable.
static const struct {
	uint8_t magic[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_offset, section_offset;
	uint32_t flags;
	uint16_t header_size, program_size, program_count, unused[3];
	uint32_t segment_type, segment_flags;
	uint64_t offset, vaddr, paddr, file_size, memory_size, alignment;
} task = {
	.magic = {0x7f, 'E', 'L', 'F', 2, 1, 1},
	.type = 2,
	.machine = 62,
	.version = 1,
	.entry = ENTRY + 0x100,
	.program_offset = 64,
	.header_size = 64,
	.program_size = 56,
	.program_count = 1,
	.segment_type = 1,
	.segment_flags = 7,
	.vaddr = ENTRY,
	.file_size = 0x200,
	.memory_size = 0x2800,
	.alignment = 0x1000,
};

void world_start(unsigned size_bits) {
	struct cap untyped;

	host_start();
	untyped = object_create(
		OBJECT_UNTYPED, physical_pointer(physical(16 << 20)), size_bits, false);
	world.slots = loose_slots;
	derive_insert_original(&world.slots[0], untyped, NULL);
}

void world_memory(uint64_t low, uint64_t high) {
	static const struct range kept[] = {{0x100000, 0x180000}, {0xfec00000, 0xfec01000},
		{0xfee00000, 0xfee01000}, {0xfffffff8, 0x100000000}};
	struct boot_memory *memory = &world.facts.memory;

	*memory = (struct boot_memory){.limit = 1ul << 46};
	memory_add(memory, 0, 0x9f000, MEMORY_RAM);
	memory_add(memory, 0x100000, low, MEMORY_RAM);
	memory_add(memory, 1ul << 32, high, MEMORY_RAM);
	memory_sort(memory, world.facts.modules, world.facts.module_count);
	for (unsigned i = 0; i < array_count(kept); i++)
		memory_keep(memory, kept[i].start, kept[i].end);
}

void world_facts(void) {
	host_start();
	memcpy(physical_pointer(physical(WORLD_MODULE)), &task, sizeof(task));
	world.facts = (struct boot_facts){
		.module_count = 2,
		.modules = {{WORLD_MODULE, FILE_SIZE, "root"}, {0x300000, 0x2345, "system.img"}},
		.map = {.size = 2 * sizeof(struct boot_map_entry)},
		.tsc_mhz = HOST_TICKS_PER_US,
		.options = {SELF_TEST_FULL, REPORT_ON},
	};
	world_memory(HOST_MEMORY - 0x100000, 0);
}

void world_boot(void) {
	world_facts();
	check(boot_root(&world.facts));
	check(schedule() == EXIT_TO_USER);
	world.root = this_cpu()->current;
	world.slots = cap_object(&world.root->slots[THREAD_CSPACE].cap);
	world.info = cap_object(&world.slots[ROOT_SLOT_BOOTINFO_FRAME].cap);
}

enum error world_call(const struct call *call) {
	static struct ipc_buffer buffer;

	world.last = (struct invocation){
		.caller = world.root,
		.slot = &world.slots[call->slot],
		.buffer = &buffer,
		.registers = call->words,
		.label = call->label,
		.length = call->length,
		.cap_count = call->caps,
	};
	for (unsigned i = MESSAGE_REGISTERS; i < array_count(call->words); i++)
		buffer.message[i] = call->words[i];
	for (unsigned i = 0; i < call->caps; i++)
		world.last.caps[i] = &world.slots[call->cap_slots[i]];
	return invocation_dispatch(&world.last);
}

enum error world_call_to_end(const struct call *call) {
	enum error error;

	do
		error = world_call(call);
	while (error == ERROR_PREEMPTED);
	return error;
}

unsigned world_untyped(void) {
	unsigned best = 0;

	if (!world.info) return 0;
	for (unsigned i = 0; i < world.info->untyped.end - world.info->untyped.start; i++) {
		const struct bootinfo_untyped *untyped = &world.info->untyped_list[i];

		if (!untyped->is_device &&
			untyped->size_bits >= world.info->untyped_list[best].size_bits)
			best = i;
		if (world.info->untyped_list[best].is_device) best = i;
	}
	return (unsigned)world.info->untyped.start + best;
}

enum error world_make(enum object_type type, unsigned size_bits, unsigned slot, unsigned count) {
	// A cnode capability over the test's slots, as the root cnode would be.
	static struct slot window;

	window.cap = cap_make(CAP_CNODE, world.slots);
	window.cap.size_bits = 12;
	world.last = (struct invocation){
		.slot = &world.slots[world_untyped()],
		.buffer = &(struct ipc_buffer){.message = {[4] = slot, [5] = count}},
		.registers = (uint64_t[]){type, size_bits, 0, 0},
		.label = LABEL_UNTYPED_RETYPE,
		.length = 6,
		.cap_count = 1,
		.caps = {&window},
	};
	return invocation_dispatch(&world.last);
}

unsigned world_check_order(void) {
	unsigned filled = 0;

	for (unsigned i = 0; i < WORLD_SLOTS; i++) {
		const struct slot *slot = &world.slots[i];

		if (slot_is_empty(slot)) {
			check(slot->next == 0 && !slot->previous);
			continue;
		}
		filled++;
		check(!slot->previous || slot_next(slot->previous) == slot);
		check(!slot_next(slot) || slot_next(slot)->previous == slot);
	}
	return filled;
}
