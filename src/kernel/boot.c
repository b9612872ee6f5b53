// SPDX-License-Identifier: BSD-2-Clause
// The initial task: its capabilities, memory, address space and bootinfo page (bootinfo.md).
//
//   user addresses   image | IPC buffer | bootinfo | extra bootinfo
//   memory           root cnode | the above | page tables, ASID pool | TCB, scheduling context
#include <kernel/boot.h>

#include <abi/bootinfo.h>
#include <base/bits.h>
#include <base/elf.h>
#include <base/format.h>
#include <base/memory.h>
#include <base/panic.h>
#include <cpu/clock.h>
#include <kernel/boot_info.h>
#include <kernel/boot_memory.h>
#include <kernel/derive.h>
#include <kernel/object.h>
#include <kernel/sched_context.h>
#include <kernel/schedule.h>
#include <kernel/space.h>
#include <kernel/trace.h>

enum {
	PAGE = 1 << PAGE_BITS,
	ROOT_SLOTS = 1 << ROOT_CNODE_RADIX,
	ROOT_GUARD_SIZE = 64 - ROOT_CNODE_RADIX,
	ROOT_TIME_SLICE_US = 5000,
	TABLE_LEVELS = 3, // below the root
};

// What the initial task will look like; decided before any memory is taken.
struct boot_plan {
	struct elf_image image;
	uint64_t start; // of the image, user address
	uint64_t buffer; // end of the image
	uint64_t info;
	uint64_t extra;
	uint64_t end;
	uint64_t tables[TABLE_LEVELS + 1]; // by level: 3 PDPT, 2 page directory, 1 page table
	uint64_t bytes; // of all boot objects
};

// The task while it is built. Written by boot_root and what it calls, once.
static struct boot_build {
	struct boot_plan plan;
	struct slot *slots;
	uint64_t next_slot;
	uint8_t *memory; // cleared; taken from the start
	uint8_t *image; // frames in the order of the user addresses
	struct bootinfo *info;
	struct region_list free;
	struct region_list device;
	struct block_list blocks;
} build;

static void *build_take(uint64_t size) {
	void *memory = build.memory;

	build.memory += size;
	return memory;
}

static struct cap build_object(enum object_type type, unsigned size_bits, uint64_t bytes) {
	return object_kinds[type].create(build_take(bytes), size_bits, false);
}

static struct slot *build_put(uint64_t slot, struct cap cap) {
	derive_insert_original(&build.slots[slot], cap, NULL);
	return &build.slots[slot];
}

static struct slot *build_put_next(struct cap cap) { return build_put(build.next_slot++, cap); }

// Opens the slot range of a bootinfo field, and closes it with the slots used meanwhile.
static void range_open(struct bootinfo_range *range) { range->start = build.next_slot; }

static void range_close(struct bootinfo_range *range) { range->end = build.next_slot; }

static bool plan_image(struct boot_plan *plan, const struct boot_module *module) {
	enum elf_error error = elf_open(&plan->image, physical_pointer(physical(module->start)),
		module->end - module->start);
	uint64_t end;

	if (error) {
		print("boot: the initial task (module \"%s\") %s\n", module->name,
			elf_error_text(error));
		return false;
	}
	elf_span(&plan->image, &plan->start, &end);
	if (!is_aligned(plan->start, PAGE)) {
		print("boot: the initial task must start at a page boundary, not at 0x%lx\n",
			plan->start);
		return false;
	}
	// Half of the slots is left to the task: an image beyond that is a mistake.
	if (end > USER_TOP || end - plan->start > (uint64_t)ROOT_SLOTS / 2 * PAGE) {
		print("boot: the initial task is too big: 0x%lx to 0x%lx\n", plan->start, end);
		return false;
	}
	plan->buffer = align_up(end, PAGE);
	return true;
}

static bool plan_make(struct boot_plan *plan, const struct boot_facts *facts) {
	uint64_t tables = 1; // the root
	uint64_t extra_pages = (boot_info_extra_size(facts) + PAGE - 1) / PAGE;

	if (facts->module_count == 0) {
		print("boot: no initial task: load it as the first module\n");
		return false;
	}
	if (!plan_image(plan, &facts->modules[0])) return false;
	while (!bits_is_power_of_two(extra_pages))
		extra_pages++;
	plan->info = plan->buffer + PAGE;
	plan->extra = plan->info + PAGE;
	plan->end = plan->extra + extra_pages * PAGE;
	if (plan->end > USER_TOP) {
		print("boot: the initial task is linked too high: it ends at 0x%lx\n",
			plan->buffer);
		return false;
	}
	for (unsigned level = 1; level <= TABLE_LEVELS; level++) {
		unsigned shift = PAGE_BITS + 9 * level; // a table's reach

		plan->tables[level] = ((plan->end - 1) >> shift) - (plan->start >> shift) + 1;
		tables += plan->tables[level];
	}
	plan->bytes = (tables + 1) * PAGE + (plan->end - plan->start) +
		(1ul << (ROOT_CNODE_RADIX + SLOT_BITS)) + PAGE;
	return true;
}

static bool build_memory(const struct boot_facts *facts) {
	uint64_t address;

	regions_of_facts(facts, &build.free, &build.device);
	address = region_take(&build.free, build.plan.bytes);
	if (address == 0) {
		print("boot: no %lu KiB of free memory in one piece for the initial task\n",
			build.plan.bytes / 1024);
		return false;
	}
	build.memory = physical_pointer(physical(address));
	memset(build.memory, 0, build.plan.bytes);
	return true;
}

// Root table, the tables below it, and the ASID pool. Slots come later, with the root cnode.
static void build_space(void) {
	static const enum object_type types[TABLE_LEVELS + 1] = {
		[3] = OBJECT_PDPT, [2] = OBJECT_PAGE_DIRECTORY, [1] = OBJECT_PAGE_TABLE};
	const struct boot_plan *plan = &build.plan;
	struct cap root = build_object(OBJECT_PML4, TABLE_BITS, PAGE);
	struct cap pool = cap_make(CAP_ASID_POOL, build_take(PAGE));

	space_boot(&pool, &root);
	build_put(ROOT_SLOT_SPACE, root);
	build_put(ROOT_SLOT_ASID_POOL, pool);
	range_open(&build.info->image_paging);
	for (unsigned level = TABLE_LEVELS; level > 0; level--) {
		unsigned shift = PAGE_BITS + 9 * level;
		uint64_t first = align_down(plan->start, 1ul << shift);

		for (uint64_t i = 0; i < plan->tables[level]; i++) {
			struct cap table = build_object(types[level], TABLE_BITS, PAGE);

			table_boot_map(&table, &root, first + (i << shift));
			build_put_next(table);
		}
	}
	range_close(&build.info->image_paging);
}

// The capability to the frame at a user address, mapped there.
static struct cap frame_at(uint64_t address) {
	struct cap frame = object_kinds[OBJECT_PAGE].create(
		build.image + (address - build.plan.start), PAGE_BITS, false);

	frame.rights = RIGHT_READ | RIGHT_WRITE;
	frame_boot_map(&frame, &build.slots[ROOT_SLOT_SPACE].cap, address);
	return frame;
}

static void build_frames(void) {
	const struct boot_plan *plan = &build.plan;
	struct bootinfo *info = build.info;

	range_open(&info->extra_pages);
	for (uint64_t address = plan->extra; address < plan->end; address += PAGE)
		build_put_next(frame_at(address));
	range_close(&info->extra_pages);
	range_open(&info->image_frames);
	for (uint64_t address = plan->start; address < plan->buffer; address += PAGE)
		build_put_next(frame_at(address));
	range_close(&info->image_frames);
	build_put(ROOT_SLOT_IPC_BUFFER, frame_at(plan->buffer));
	build_put(ROOT_SLOT_BOOTINFO_FRAME, frame_at(plan->info));
}

static void load_image(void) {
	struct elf_segment segment;
	unsigned cursor = 0;

	while (elf_next(&build.plan.image, &cursor, &segment))
		memcpy(build.image + (segment.vaddr - build.plan.start), segment.data,
			segment.data_size);
}

static void build_control_caps(void) {
	struct cap control = cap_make(CAP_SCHED_CONTROL, NULL);

	build_put(ROOT_SLOT_IRQ_CONTROL, cap_make(CAP_IRQ_CONTROL, NULL));
	build_put(ROOT_SLOT_ASID_CONTROL, cap_make(CAP_ASID_CONTROL, NULL));
	build_put(ROOT_SLOT_PORT_CONTROL, cap_make(CAP_PORT_CONTROL, NULL));
	build_put(ROOT_SLOT_DOMAIN, cap_make(CAP_DOMAIN, NULL));
	control.core = 0;
	range_open(&build.info->sched_control);
	build_put_next(control);
	range_close(&build.info->sched_control);
}

static void build_untypeds(void) {
	struct bootinfo *info = build.info;
	struct block_list *blocks = &build.blocks;

	block_list_append(blocks, &build.device, BLOCK_DEVICE);
	block_list_append(blocks, &build.free, BLOCK_MEMORY);
	if (blocks->dropped)
		print("boot: %u untyped blocks dropped, %lu KiB: more than %u\n", blocks->dropped,
			blocks->dropped_bytes / 1024, BOOTINFO_MAX_UNTYPED);
	range_open(&info->untyped);
	for (unsigned i = 0; i < blocks->count; i++) {
		const struct bootinfo_untyped *block = &blocks->blocks[i];
		struct cap cap = object_kinds[OBJECT_UNTYPED].create(
			physical_pointer(physical(block->paddr)), block->size_bits,
			block->is_device);

		build_put_next(cap);
		info->untyped_list[i] = *block;
	}
	range_close(&info->untyped);
}

static struct slot *build_sched_context(void) {
	struct cap cap = build_object(
		OBJECT_SCHED_CONTEXT, SCHED_CONTEXT_MIN_BITS, 1 << SCHED_CONTEXT_MIN_BITS);
	uint64_t slice = ROOT_TIME_SLICE_US * clock_ticks_per_us();
	struct refill_queue parameters = {.budget = slice, .period = slice, .maximum = 2};

	refill_start(cap_object(&cap), &parameters, clock_now());
	return build_put(ROOT_SLOT_SCHED_CONTEXT, cap);
}

// A thread slot gets a copy of what stands in a slot of the root cnode.
static void thread_give(struct thread *thread, enum thread_slot to, enum root_slot from) {
	derive_insert_copy(&thread->slots[to], build.slots[from].cap, &build.slots[from]);
}

static struct thread *build_thread(void) {
	const struct boot_plan *plan = &build.plan;
	struct cap cap = build_object(OBJECT_TCB, TCB_BITS, 1 << TCB_BITS);
	struct thread *thread = cap_thread(&cap);

	build_put(ROOT_SLOT_TCB, cap);
	thread_give(thread, THREAD_CSPACE, ROOT_SLOT_CNODE);
	thread_give(thread, THREAD_SPACE, ROOT_SLOT_SPACE);
	thread_give(thread, THREAD_BUFFER, ROOT_SLOT_IPC_BUFFER);
	thread->buffer_address = plan->buffer;
	thread->priority = PRIORITIES - 1;
	thread->max_priority = PRIORITIES - 1;
	thread->context.rip = plan->image.entry;
	thread->context.fault_ip = plan->image.entry;
	thread->context.rdi = plan->info;
	format_text(thread->name, sizeof(thread->name), "rootserver");
	return thread;
}

static void build_bootinfo(const struct boot_facts *facts) {
	const struct boot_plan *plan = &build.plan;
	struct bootinfo *info = build.info;

	info->extra_length = boot_info_extra_size(facts);
	info->node_count = 1;
	info->ipc_buffer = plan->buffer;
	info->root_cnode_bits = ROOT_CNODE_RADIX;
	info->empty.start = build.next_slot;
	info->empty.end = ROOT_SLOTS;
	boot_info_write_extra(facts, build.image + (plan->extra - plan->start));
}

// The root cnode takes its memory first, for the slots of everything else.
static void build_root_cnode(void) {
	struct cap cap = build_object(
		OBJECT_CNODE, ROOT_CNODE_RADIX, 1ul << (ROOT_CNODE_RADIX + SLOT_BITS));

	cap.cnode.guard_size = ROOT_GUARD_SIZE;
	build.slots = cap_object(&cap);
	build.next_slot = ROOT_SLOT_FIRST_FREE;
	build_put(ROOT_SLOT_CNODE, cap);
}

static void trace_untypeds(void) {
	for (unsigned i = 0; i < build.blocks.count; i++) {
		const struct bootinfo_untyped *block = &build.blocks.blocks[i];

		print("boot: %s untyped 0x%lx, 2^%u\n", block->is_device ? "device" : "memory",
			block->paddr, block->size_bits);
	}
}

static uint64_t blocks_memory_bytes(void) {
	uint64_t bytes = 0;

	for (unsigned i = 0; i < build.blocks.count; i++)
		if (!build.blocks.blocks[i].is_device)
			bytes += 1ul << build.blocks.blocks[i].size_bits;
	return bytes;
}

bool boot_root(const struct boot_facts *facts) {
	const struct boot_plan *plan = &build.plan;
	struct slot *context;
	struct thread *thread;

	if (!plan_make(&build.plan, facts) || !build_memory(facts)) return false;
	build_root_cnode();
	build.image = build_take(plan->end - plan->start);
	build.info = (struct bootinfo *)(build.image + (plan->info - plan->start));
	build_control_caps();
	build_space();
	build_frames();
	load_image();
	thread = build_thread();
	context = build_sched_context();
	build_untypeds();
	build_bootinfo(facts);
	if (facts->trace_boot) trace_untypeds();
	print("boot: %u untyped blocks, %lu MiB free; initial task at 0x%lx, %lu KiB\n",
		build.blocks.count, blocks_memory_bytes() >> 20, plan->start,
		(plan->buffer - plan->start) / 1024);
	sched_context_bind_thread(cap_object(&context->cap), thread);
	thread_resume(thread);
	return true;
}
