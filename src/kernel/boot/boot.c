// SPDX-License-Identifier: BSD-2-Clause
// The initial task: its capabilities, memory, address space and bootinfo page (BOOT-1 to BOOT-16).
//
//   user addresses   image | IPC buffer | bootinfo | extra bootinfo
//   memory           root cnode | the above | page tables, ASID pool | TCB, scheduling context
#include <boot/boot.h>

#include <base/elf.h>
#include <base/format.h>
#include <base/memory.h>
#include <boot/boot_memory.h>
#include <cpu/clock.h>
#include <ipc/wait.h>
#include <kernel.h>
#include <sched/refill.h>
#include <thread/life.h>
#include <memory/frame.h>
#include <memory/page_table.h>
#include <memory/space.h>

enum {
	PAGE = 1 << PAGE_BITS,
	ROOT_SLOT_SHARE = 32 << 10, // a slot of the root cnode for so much free RAM
	ROOT_TIME_SLICE_US = 5000,
	TABLE_LEVELS = 3, // below the root
};

// What the initial task will look like; decided by plan_make before any memory is taken.
static struct {
	struct elf_image image;
	uint64_t start; // of the image, user address
	uint64_t buffer; // end of the image
	uint64_t info, extra, end;
	unsigned root_bits; // of the root cnode
	uint64_t bytes; // of all boot objects
} plan;

// The task while it is built. Written by boot_root and what it calls, once.
static struct {
	struct slot *slots;
	uint64_t next_slot;
	uint8_t *memory; // cleared; taken from the start
	uint8_t *image; // frames in the order of the user addresses
	struct bootinfo *info;
	struct regions regions;
	struct block_list blocks;
} build;

static void *build_take(uint64_t size) {
	void *memory = build.memory;

	build.memory += size;
	return memory;
}

static struct cap build_object(enum object_type type, unsigned size_bits) {
	unsigned bits = size_bits + (type == OBJECT_CNODE ? SLOT_BITS : 0);

	return object_create(type, build_take(1ul << bits), size_bits, false);
}

static void build_put(uint64_t slot, struct cap cap) {
	derive_insert_original(&build.slots[slot], cap, NULL);
}

static void build_put_next(struct cap cap) { build_put(build.next_slot++, cap); }

// Prints why there is no initial task.
#define refuse(format, ...) (print("boot: " format "\n" __VA_OPT__(, ) __VA_ARGS__), false)

static bool plan_image(const struct boot_module *module) {
	const char *error = elf_open(&plan.image, physical_pointer(physical(module->start)),
		module->end - module->start);
	uint64_t end = plan.image.end;

	if (error) return refuse("the initial task (module \"%s\") %s", module->name, error);
	plan.start = plan.image.start;
	if (!is_aligned(plan.start, PAGE))
		return refuse(
			"the initial task must start at a page boundary, not at 0x%lx", plan.start);
	if (end > USER_TOP)
		return refuse("the initial task is too big: 0x%lx to 0x%lx", plan.start, end);
	plan.buffer = align_up(end, PAGE);
	return true;
}

// A big machine has many objects, a small one no memory to spare; the frames of the image, one a
// page, take at most half of the slots.
static void plan_root_cnode(const struct boot_facts *facts) {
	uint64_t ram = region_bytes(&build.regions.memory);
	unsigned bits = ROOT_CNODE_MIN_BITS;

	while (bits < ROOT_CNODE_MAX_BITS && ram >> (bits + 1) >= ROOT_SLOT_SHARE)
		bits++;
	plan.root_bits = facts->root_cnode_bits ? facts->root_cnode_bits : bits;
	while ((uint64_t)PAGE << plan.root_bits < 2 * (plan.buffer - plan.start))
		plan.root_bits++;
}

// Bytes below one table of a level: 3 PDPT, 2 page directory, 1 page table.
static uint64_t table_reach(unsigned level) { return 1ul << (PAGE_BITS + 9 * level); }

static bool plan_make(const struct boot_facts *facts) {
	uint64_t tables = 1; // the root
	uint64_t extra_pages = (boot_info_write_extra(facts, NULL) + PAGE - 1) / PAGE;

	if (facts->module_count == 0) return refuse("no initial task: load it as the first module");
	if (!plan_image(&facts->modules[0])) return false;
	while (!bits_is_power_of_two(extra_pages))
		extra_pages++;
	plan.info = plan.buffer + PAGE;
	plan.extra = plan.info + PAGE;
	plan.end = plan.extra + extra_pages * PAGE;
	if (plan.end > USER_TOP)
		return refuse("the initial task is linked too high: it ends at 0x%lx", plan.buffer);
	for (unsigned level = 1; level <= TABLE_LEVELS; level++)
		tables += (plan.end - 1) / table_reach(level) - plan.start / table_reach(level) + 1;
	plan_root_cnode(facts);
	plan.bytes = (tables + 1) * PAGE + (plan.end - plan.start) +
		(1ul << (plan.root_bits + SLOT_BITS)) + PAGE;
	return true;
}

// Root table, the tables below it, and the ASID pool. Slots come later, with the root cnode.
static void build_space(void) {
	static const enum object_type types[] = {
		[1] = OBJECT_PAGE_TABLE, [2] = OBJECT_PAGE_DIRECTORY, [3] = OBJECT_PDPT};
	struct cap root = build_object(OBJECT_PML4, TABLE_BITS);
	struct cap pool = asid_pool_install(build_take(PAGE));

	(void)asid_pool_give(&pool, &root); // a new pool has a free one
	build_put(ROOT_SLOT_SPACE, root);
	build_put(ROOT_SLOT_ASID_POOL, pool);
	build.info->image_paging.start = build.next_slot;
	for (unsigned level = TABLE_LEVELS; level > 0; level--) {
		uint64_t at = align_down(plan.start, table_reach(level));

		for (; at < plan.end; at += table_reach(level)) {
			struct cap table = build_object(types[level], TABLE_BITS);

			table_attach(&table, &root, at);
			build_put_next(table);
		}
	}
	build.info->image_paging.end = build.next_slot;
}

// The capability to the frame at a user address, mapped there.
static struct cap frame_at(uint64_t address) {
	struct cap frame = object_create(
		OBJECT_PAGE, build.image + (address - plan.start), PAGE_BITS, false);

	frame.rights = RIGHT_READ | RIGHT_WRITE;
	frame_attach(&frame, &build.slots[ROOT_SLOT_SPACE].cap, address);
	return frame;
}

static struct bootinfo_range build_frames_between(uint64_t start, uint64_t end) {
	uint64_t first = build.next_slot;

	for (uint64_t address = start; address < end; address += PAGE)
		build_put_next(frame_at(address));
	return (struct bootinfo_range){first, build.next_slot};
}

static void build_frames(void) {
	build.info->extra_pages = build_frames_between(plan.extra, plan.end);
	build.info->image_frames = build_frames_between(plan.start, plan.buffer);
	build_put(ROOT_SLOT_IPC_BUFFER, frame_at(plan.buffer));
	build_put(ROOT_SLOT_BOOTINFO_FRAME, frame_at(plan.info));
}

static void load_image(void) {
	struct elf_segment segment;
	unsigned cursor = 0;

	while (elf_next(&plan.image, &cursor, &segment))
		memcpy(build.image + (segment.vaddr - plan.start),
			plan.image.bytes + segment.offset, segment.file_size);
}

static void build_control_caps(void) {
	build_put(ROOT_SLOT_IRQ_CONTROL, cap_make(CAP_IRQ_CONTROL, NULL));
	build_put(ROOT_SLOT_ASID_CONTROL, cap_make(CAP_ASID_CONTROL, NULL));
	build_put(ROOT_SLOT_PORT_CONTROL, cap_make(CAP_PORT_CONTROL, NULL));
	this_kernel()->domains.durations[0] = DOMAIN_DURATION_MAX; // one entry without end
	build_put(ROOT_SLOT_DOMAIN, cap_make(CAP_DOMAIN, NULL));
	build.info->sched_control = (struct bootinfo_range){build.next_slot, build.next_slot + 1};
	build_put_next(cap_make(CAP_SCHED_CONTROL, NULL));
}

static void build_untypeds(void) {
	struct bootinfo *info = build.info;
	struct block_list *blocks = &build.blocks;

	block_list_make(blocks, &build.regions);
	if (blocks->dropped)
		print("boot: the %u smallest untyped blocks are dropped, with %lu KiB of RAM: the "
		      "list holds %u\n",
			blocks->dropped, blocks->dropped_memory / 1024, BOOTINFO_MAX_UNTYPED);
	info->untyped.start = build.next_slot;
	for (unsigned i = 0; i < blocks->count; i++) {
		const struct bootinfo_untyped *block = &blocks->blocks[i];

		build_put_next(
			object_create(OBJECT_UNTYPED, physical_pointer(physical(block->paddr)),
				block->size_bits, block->is_device));
		info->untyped_list[i] = *block;
	}
	info->untyped.end = build.next_slot;
}

static void build_sched_context(struct thread *thread) {
	struct cap cap = build_object(OBJECT_SCHED_CONTEXT, SCHED_CONTEXT_MIN_BITS);
	uint64_t slice = ROOT_TIME_SLICE_US * clock_ticks_per_us();
	struct refill_queue parameters = {.budget = slice, .period = slice, .maximum = 2};

	refill_start(cap_object(&cap), &parameters, clock_now());
	sched_context_bind_thread(cap_object(&cap), thread);
	build_put(ROOT_SLOT_SCHED_CONTEXT, cap);
}

// A thread slot gets a copy of the capability in a slot of the root cnode.
static void thread_give(struct thread *thread, enum thread_slot to, enum root_slot from) {
	thread_fill_slot(&thread->slots[to], build.slots[from].cap, &build.slots[from]);
}

static struct thread *build_thread(void) {
	struct cap cap = build_object(OBJECT_TCB, TCB_BITS);
	struct thread *thread = cap_thread(&cap);

	build_put(ROOT_SLOT_TCB, cap);
	thread_give(thread, THREAD_CSPACE, ROOT_SLOT_CNODE);
	thread_give(thread, THREAD_SPACE, ROOT_SLOT_SPACE);
	thread_give(thread, THREAD_BUFFER, ROOT_SLOT_IPC_BUFFER);
	thread->buffer_address = plan.buffer;
	thread->priority = PRIORITIES - 1;
	thread->max_priority = PRIORITIES - 1;
	thread->trap.fault_ip = plan.image.entry;
	thread->context.rdi = plan.info;
	format_text(thread->name, sizeof(thread->name), "rootserver");
	return thread;
}

static void build_bootinfo(const struct boot_facts *facts) {
	struct bootinfo *info = build.info;

	info->extra_length = boot_info_write_extra(facts, build.image + (plan.extra - plan.start));
	info->node_count = 1;
	info->ipc_buffer = plan.buffer;
	info->root_cnode_bits = (uint8_t)plan.root_bits;
	info->empty = (struct bootinfo_range){build.next_slot, 1ul << plan.root_bits};
}

// The root cnode takes its memory first, for the slots of everything else.
static void build_root_cnode(void) {
	struct cap cap = build_object(OBJECT_CNODE, plan.root_bits);

	cap.cnode.guard_size = (64 - plan.root_bits) & 63;
	build.slots = cap_object(&cap);
	build.next_slot = ROOT_SLOT_FIRST_FREE;
	build_put(ROOT_SLOT_CNODE, cap);
}

static void report(const struct boot_facts *facts) {
	uint64_t bytes = region_bytes(&build.regions.memory) - build.blocks.dropped_memory;

	for (unsigned i = 0; facts->verbose_boot && i < build.blocks.count; i++) {
		const struct bootinfo_untyped *block = &build.blocks.blocks[i];

		print("boot: %s untyped 0x%lx, 2^%u\n", block->is_device ? "device" : "memory",
			block->paddr, block->size_bits);
	}
	print("boot: %u untyped blocks, %lu MiB free; initial task at 0x%lx, %lu KiB, %lu slots\n",
		build.blocks.count, bytes >> 20, plan.start, (plan.buffer - plan.start) / 1024,
		1ul << plan.root_bits);
}

uint64_t boot_room(const struct boot_facts *facts, uint64_t size, uint64_t limit) {
	regions_of_facts(facts, &build.regions, 0);
	return region_take(&build.regions.memory, size, limit);
}

bool boot_root(const struct boot_facts *facts) {
	struct thread *thread;
	uint64_t address;

	regions_of_facts(facts, &build.regions, 0);
	if (!plan_make(facts)) return false;
	address = region_take(&build.regions.memory, plan.bytes, UINT64_MAX);
	if (address == 0)
		return refuse("no %lu KiB of free memory in one piece for the initial task",
			plan.bytes / 1024);
	build.memory = physical_pointer(physical(address));
	memset(build.memory, 0, plan.bytes);
	build_root_cnode();
	build.image = build_take(plan.end - plan.start);
	build.info = (struct bootinfo *)(build.image + (plan.info - plan.start));
	build_control_caps();
	build_space();
	build_frames();
	load_image();
	thread = build_thread();
	build_sched_context(thread);
	regions_of_facts(facts, &build.regions, 1); // the loader's copy of the task is free now
	region_remove(&build.regions.memory, address, address + plan.bytes);
	build_untypeds();
	build_bootinfo(facts);
	report(facts);
	thread_resume(thread);
	return true;
}
