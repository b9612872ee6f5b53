// SPDX-License-Identifier: BSD-2-Clause
// The initial task: its capabilities, memory, address space and bootinfo page (BOOT-1 to BOOT-16).
//
//   user addresses   image | IPC buffer | bootinfo | extra bootinfo
//   memory           root cnode | the above | page tables, ASID pool | TCB, scheduling context
#include <boot/boot.h>

#include <base/elf.h>
#include <base/format.h>
#include <cpu/clock.h>
#include <ipc/wait.h>
#include <kernel.h>
#include <sched/refill.h>
#include <thread/life.h>
#include <memory/mapping.h>

enum {
	PAGE = 1 << PAGE_BITS,
	ROOT_SLOT_SHARE = 32 << 10, // a slot of the root cnode for so much free RAM
	ROOT_TIME_SLICE_US = 5000,
	TABLE_LEVELS = 3, // below the root
};

// The initial task. Its size is known before any memory is taken.
static struct {
	struct elf_image image;
	uint64_t start; // of the image, user address
	uint64_t buffer, info, extra, end; // of the pages that follow it
	unsigned root_bits; // of the root cnode

	// While it is built.
	struct slot *slots;
	uint64_t next_slot;
	uint8_t *memory; // cleared; taken from the start
	uint8_t *frames; // in the order of the user addresses
	struct bootinfo *bootinfo;
	struct block_list blocks;
} task;

static void *build_take(uint64_t size) {
	void *memory = task.memory;

	task.memory += size;
	return memory;
}

// What the task has at a user address.
static void *task_memory(uint64_t address) { return task.frames + (address - task.start); }

static struct cap build_object(enum object_type type, unsigned size_bits) {
	unsigned bits = size_bits + (type == OBJECT_CNODE ? SLOT_BITS : 0);

	return object_create(type, build_take(1ul << bits), size_bits, false);
}

static void build_put(uint64_t slot, struct cap cap) {
	derive_insert_original(&task.slots[slot], cap, NULL);
}

static void build_put_next(struct cap cap) { build_put(task.next_slot++, cap); }

static bool plan_pages(const struct bootinfo_module *module) {
	const char *error = elf_open(
		&task.image, physical_pointer(physical(module->paddr)), module->length);

	if (error)
		return refuse("boot: the initial task (module \"%s\") %s\n", module->name, error);
	task.start = task.image.start;
	task.buffer = align_up(task.image.end, PAGE);
	task.info = task.buffer + PAGE;
	task.extra = task.info + PAGE;
	task.end = task.extra + PAGE;
	if (!is_aligned(task.start, PAGE))
		return refuse(
			"boot: the initial task must start at a page boundary, not at 0x%lx\n",
			task.start);
	if (task.end > USER_TOP)
		return refuse(
			"boot: the initial task is too big or linked too high: 0x%lx to 0x%lx\n",
			task.start, task.buffer);
	return true;
}

// A big machine has many objects, a small one no memory to spare; the frames of the image, one a
// page, take at most half of the slots.
static void plan_root_cnode(const struct boot_facts *facts) {
	uint64_t ram = region_bytes(&facts->memory.free);
	unsigned bits = ROOT_CNODE_MIN_BITS;

	while (bits < ROOT_CNODE_MAX_BITS && ram >> (bits + 1) >= ROOT_SLOT_SHARE)
		bits++;
	task.root_bits = facts->root_cnode_bits ? facts->root_cnode_bits : bits;
	while ((uint64_t)PAGE << task.root_bits < 2 * (task.buffer - task.start))
		task.root_bits++;
}

// Bytes of all boot objects; 0 if there can be no initial task.
static uint64_t plan_make(const struct boot_facts *facts) {
	uint64_t tables = 1; // the root

	if (facts->module_count == 0)
		return refuse("boot: no initial task: load it as the first module\n");
	if (!plan_pages(&facts->modules[0])) return 0;
	for (unsigned level = 1; level <= TABLE_LEVELS; level++)
		tables += (task.end - 1) / paging_span(level + 1) -
			task.start / paging_span(level + 1) + 1;
	plan_root_cnode(facts);
	return (tables + 1) * PAGE + (task.end - task.start) +
		(1ul << (task.root_bits + SLOT_BITS)) + PAGE;
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
	task.bootinfo->image_paging.start = task.next_slot;
	for (unsigned level = TABLE_LEVELS; level > 0; level--) {
		uint64_t at = align_down(task.start, paging_span(level + 1));

		for (; at < task.end; at += paging_span(level + 1)) {
			struct cap table = build_object(types[level], TABLE_BITS);

			mapping_attach(&table, &root, at);
			build_put_next(table);
		}
	}
	task.bootinfo->image_paging.end = task.next_slot;
}

// The capability to the frame at a user address, mapped there.
static struct cap frame_at(uint64_t address) {
	struct cap frame = object_create(OBJECT_PAGE, task_memory(address), PAGE_BITS, false);

	frame.rights = RIGHT_READ | RIGHT_WRITE;
	mapping_attach(&frame, &task.slots[ROOT_SLOT_SPACE].cap, address);
	return frame;
}

static struct bootinfo_range build_frames_between(uint64_t start, uint64_t end) {
	uint64_t first = task.next_slot;

	for (uint64_t address = start; address < end; address += PAGE)
		build_put_next(frame_at(address));
	return (struct bootinfo_range){first, task.next_slot};
}

static void build_frames(void) {
	task.bootinfo->extra_pages = build_frames_between(task.extra, task.end);
	task.bootinfo->image_frames = build_frames_between(task.start, task.buffer);
	build_put(ROOT_SLOT_IPC_BUFFER, frame_at(task.buffer));
	build_put(ROOT_SLOT_BOOTINFO_FRAME, frame_at(task.info));
}

static void load_image(void) {
	struct elf_segment segment;
	unsigned cursor = 0;

	while (elf_next(&task.image, &cursor, &segment))
		memcpy(task_memory(segment.vaddr), task.image.bytes + segment.offset,
			segment.file_size);
}

static void build_control_caps(void) {
	build_put(ROOT_SLOT_IRQ_CONTROL, cap_make(CAP_IRQ_CONTROL, NULL));
	build_put(ROOT_SLOT_ASID_CONTROL, cap_make(CAP_ASID_CONTROL, NULL));
	build_put(ROOT_SLOT_PORT_CONTROL, cap_make(CAP_PORT_CONTROL, NULL));
	this_kernel()->domains.slots[0].duration = DOMAIN_DURATION_MAX; // without end
	build_put(ROOT_SLOT_DOMAIN, cap_make(CAP_DOMAIN, NULL));
	if (this_cpu()->platform->iommu)
		build_put(ROOT_SLOT_IO_SPACE, cap_make(CAP_IO_SPACE, NULL));
	task.bootinfo->sched_control.start = task.next_slot;
	for (unsigned i = 0; i < this_cpu()->platform->core_count; i++)
		build_put_next(
			(struct cap){.head = cap_make(CAP_SCHED_CONTROL, NULL).head, .word = i});
	task.bootinfo->sched_control.end = task.next_slot;
}

static void build_untypeds(const struct boot_facts *facts) {
	struct block_list *blocks = &task.blocks;

	block_list_make(blocks, &facts->memory);
	if (blocks->dropped)
		print("boot: the %u smallest untyped blocks are dropped, with %lu KiB of RAM: the "
		      "list holds %u\n",
			blocks->dropped, blocks->dropped_memory / 1024, BOOTINFO_MAX_UNTYPED);
	task.bootinfo->untyped.start = task.next_slot;
	for (unsigned i = 0; i < blocks->count; i++) {
		const struct bootinfo_untyped *block = &blocks->blocks[i];

		build_put_next(
			object_create(OBJECT_UNTYPED, physical_pointer(physical(block->paddr)),
				block->size_bits, block->is_device));
		task.bootinfo->untyped_list[i] = *block;
		if (facts->verbose_boot)
			print("boot: %s untyped 0x%lx, 2^%u\n",
				block->is_device ? "device" : "memory", block->paddr,
				block->size_bits);
	}
	task.bootinfo->untyped.end = task.next_slot;
}

static void build_sched_context(struct thread *thread) {
	struct cap cap = build_object(OBJECT_SCHED_CONTEXT, SCHED_CONTEXT_MIN_BITS);
	struct sched_context *context = cap_object(&cap);
	uint64_t slice = ROOT_TIME_SLICE_US * clock_ticks_per_us();
	struct refill_queue parameters = {.budget = slice, .period = slice, .maximum = 2};

	refill_start(context, &parameters, clock_now());
	context->cpu = this_cpu();
	sched_context_bind_thread(context, thread);
	build_put(ROOT_SLOT_SCHED_CONTEXT, cap);
}

// A thread slot gets a copy of the capability in a slot of the root cnode.
static void thread_give(struct thread *thread, enum thread_slot to, enum root_slot from) {
	thread_fill_slot(&thread->slots[to], task.slots[from].cap, &task.slots[from]);
}

static struct thread *build_thread(void) {
	struct cap cap = build_object(OBJECT_TCB, TCB_BITS);
	struct thread *thread = cap_thread(&cap);

	build_put(ROOT_SLOT_TCB, cap);
	thread_give(thread, THREAD_CSPACE, ROOT_SLOT_CNODE);
	thread_give(thread, THREAD_SPACE, ROOT_SLOT_SPACE);
	thread_give(thread, THREAD_BUFFER, ROOT_SLOT_IPC_BUFFER);
	thread->buffer_address = task.buffer;
	thread->priority = thread->max_priority = PRIORITIES - 1;
	thread->trap.fault_ip = task.image.entry;
	thread->context.rdi = task.info;
	format_text(thread->name, sizeof(thread->name), "rootserver");
	return thread;
}

static void build_bootinfo(const struct boot_facts *facts) {
	struct bootinfo *info = task.bootinfo;

	info->extra_length = boot_info_write_extra(facts, task_memory(task.extra));
	info->node_count = this_cpu()->platform->core_count;
	if (this_cpu()->platform->iommu) info->iopt_levels = this_cpu()->platform->iommu->levels;
	info->ipc_buffer = task.buffer;
	info->root_cnode_bits = (uint8_t)task.root_bits;
	info->empty = (struct bootinfo_range){task.next_slot, 1ul << task.root_bits};
}

// The root cnode takes its memory first, for the slots of everything else.
static void build_root_cnode(void) {
	struct cap cap = build_object(OBJECT_CNODE, task.root_bits);

	cap.cnode.guard_size = (64 - task.root_bits) & 63;
	task.slots = cap_object(&cap);
	task.next_slot = ROOT_SLOT_FIRST_FREE;
	build_put(ROOT_SLOT_CNODE, cap);
}

static void report(const struct boot_facts *facts) {
	uint64_t bytes = region_bytes(&facts->memory.free) - task.blocks.dropped_memory;

	print("boot: %u untyped blocks, %lu MiB free; initial task at 0x%lx, %lu KiB, %lu slots\n",
		task.blocks.count, bytes >> 20, task.start, (task.buffer - task.start) / 1024,
		1ul << task.root_bits);
}

bool boot_root(struct boot_facts *facts) {
	uint64_t bytes = plan_make(facts), address;
	struct thread *thread;

	if (!bytes) return false;
	address = memory_take(&facts->memory, bytes, UINT64_MAX);
	if (!address)
		return refuse("boot: no %lu KiB of free memory in one piece for the initial task\n",
			bytes / 1024);
	task.memory = physical_pointer(physical(address));
	memset(task.memory, 0, bytes);
	build_root_cnode();
	task.frames = build_take(task.end - task.start);
	task.bootinfo = task_memory(task.info);
	build_control_caps();
	build_space();
	build_frames();
	load_image();
	thread = build_thread();
	build_sched_context(thread);
	build_untypeds(facts);
	build_bootinfo(facts);
	report(facts);
	thread_resume(thread);
	return true;
}
