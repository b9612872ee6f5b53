// SPDX-License-Identifier: BSD-2-Clause
// The initial task as in BOOT-1 to BOOT-16, and the messages when there is none.
#include "test.h"
#include "world.h"

#include <abi/bootinfo.h>
#include <cpu/paging.h>
#include <sched/sched_context.h>
#include <sched/schedule.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define IMAGE 0x400000ul
#define BUFFER (IMAGE + 0x3000)
#define INFO (BUFFER + 0x1000)

static unsigned type_of(unsigned slot) { return world.slots[slot].cap.type; }

static void fixed_slots(void) {
	static const struct {
		enum root_slot slot;
		enum cap_type type;
	} expected[] = {{ROOT_SLOT_NULL, CAP_NULL}, {ROOT_SLOT_TCB, CAP_THREAD},
		{ROOT_SLOT_CNODE, CAP_CNODE}, {ROOT_SLOT_SPACE, CAP_SPACE},
		{ROOT_SLOT_IRQ_CONTROL, CAP_IRQ_CONTROL},
		{ROOT_SLOT_ASID_CONTROL, CAP_ASID_CONTROL}, {ROOT_SLOT_ASID_POOL, CAP_ASID_POOL},
		{ROOT_SLOT_PORT_CONTROL, CAP_PORT_CONTROL}, {ROOT_SLOT_IO_SPACE, CAP_NULL},
		{ROOT_SLOT_BOOTINFO_FRAME, CAP_FRAME}, {ROOT_SLOT_IPC_BUFFER, CAP_FRAME},
		{ROOT_SLOT_DOMAIN, CAP_DOMAIN}, {12, CAP_NULL}, {13, CAP_NULL},
		{ROOT_SLOT_SCHED_CONTEXT, CAP_SCHED_CONTEXT}, {15, CAP_NULL}};
	const struct cap *cnode;

	world_boot();
	for (unsigned i = 0; i < array_count(expected); i++)
		check(type_of(expected[i].slot) == expected[i].type);
	cnode = &world.slots[ROOT_SLOT_CNODE].cap;
	check(cnode->size_bits == 12 && cnode->cnode.guard_size == 52 && cnode->cnode.guard == 0);
	check(world.slots[ROOT_SLOT_SPACE].cap.map.asid == 1);
}

static void check_range(struct bootinfo_range range, enum cap_type type, unsigned count) {
	check(range.end - range.start == count);
	for (uint64_t i = range.start; i < range.end; i++)
		check(type_of((unsigned)i) == type);
}

static void bootinfo(void) {
	const struct bootinfo *info;

	world_boot();
	info = world.info;
	check(info->node_id == 0 && info->node_count == 1 && info->iopt_levels == 0);
	check(info->ipc_buffer == BUFFER && info->root_cnode_bits == 12 && info->domain == 0);
	check_range(info->sched_control, CAP_SCHED_CONTROL, 1);
	check_range(info->image_paging, CAP_TABLE, 3);
	check_range(info->extra_pages, CAP_FRAME, 1);
	check_range(info->image_frames, CAP_FRAME, 3);
	check_range(
		info->untyped, CAP_UNTYPED, (unsigned)(info->untyped.end - info->untyped.start));
	check(info->sched_control.start == 16 && info->image_paging.start == 17);
	check(info->extra_pages.start == 20 && info->image_frames.start == 21);
	check(info->untyped.start == 24 && info->empty.start == info->untyped.end);
	check(info->empty.end == 4096 && info->shared_frames.end == 0);
	check(info->io_space_caps.end == 0);
	for (unsigned i = 0; i < 3; i++)
		check(world.slots[17 + i].cap.map.level == 3 - i);
	for (uint64_t i = info->empty.start; i < 4096; i++)
		check(type_of((unsigned)i) == CAP_NULL);
}

static void untypeds(void) {
	const struct bootinfo *info;
	uint64_t memory = 0;
	bool seen_module = false;
	bool seen_task = false;

	world_boot();
	info = world.info;
	for (unsigned i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct bootinfo_untyped *untyped = &info->untyped_list[i];
		const struct slot *slot = &world.slots[info->untyped.start + i];

		check(slot->cap.size_bits == untyped->size_bits);
		check(slot->cap.device == untyped->is_device && slot->cap.word == 0);
		check(physical_of(cap_object(&slot->cap)).value == untyped->paddr);
		check(!derive_has_child(slot) && !slot->previous);
		memory += untyped->is_device ? 0 : 1ul << untyped->size_bits;
		seen_module |= untyped->is_device && untyped->paddr == 0x300000;
		seen_task |= !untyped->is_device &&
			WORLD_MODULE - untyped->paddr < 1ul << untyped->size_bits;
	}
	check(seen_module && seen_task);
	// All RAM but the kernel, the second module and the boot objects.
	check(memory > HOST_MEMORY - (3ul << 20) && memory < HOST_MEMORY - (1ul << 20));
}

static void mapping(void) {
	const struct bootinfo *info;
	uint64_t *root;

	world_boot();
	info = world.info;
	root = cap_object(&world.slots[ROOT_SLOT_SPACE].cap);
	check(root[256] == (256 << 12 | 1) && root[511] == (511ul << 12 | 1));
	for (uint64_t address = IMAGE - 0x1000; address < INFO + 0x3000; address += 0x1000) {
		struct paging_walk walk = paging_walk(root, address, 1);
		bool inside = address >= IMAGE && address < INFO + 0x2000;
		uint64_t frame = info->image_frames.start + (address - IMAGE) / 0x1000;
		const struct cap *cap;

		check(inside == (walk.entry && *walk.entry != 0));
		if (!inside) continue;
		if (address >= BUFFER)
			frame = address == BUFFER ? (uint64_t)ROOT_SLOT_IPC_BUFFER
				: address == INFO ? (uint64_t)ROOT_SLOT_BOOTINFO_FRAME
						  : info->extra_pages.start;
		cap = &world.slots[frame].cap;
		check(cap->size_bits == 12 && cap->map.mapped && cap->map.page == address >> 12);
		check((*walk.entry & 0x8000000000000fff) == 7);
		check(physical_pointer(paging_target(*walk.entry, 1)) == cap_object(cap));
	}
	check(memcmp(cap_object(&world.slots[info->image_frames.start].cap),
		      physical_pointer(physical(WORLD_MODULE)), 0x200) == 0);
	check(((uint8_t *)cap_object(&world.slots[info->image_frames.start].cap))[0x200] == 0);
}

static void first_thread(void) {
	const struct thread *root;
	const struct sched_context *context;

	world_boot();
	root = world.root;
	check(root == cap_object(&world.slots[ROOT_SLOT_TCB].cap));
	check(root->context.rip == IMAGE + 0x100 && root->context.rdi == INFO);
	check(root->context.rsp == 0 && root->context.rflags == (CONTEXT_WHOLE | 0x202) &&
		root->context.rsi == 0);
	check(root->priority == 255 && root->max_priority == 255 && root->domain == 0);
	check(root->buffer_address == BUFFER && root->buffer_to_write);
	check(strcmp(root->name, "rootserver") == 0);
	context = root->sched_context;
	check(context == cap_object(&world.slots[ROOT_SLOT_SCHED_CONTEXT].cap));
	check(context->refills.budget == 5000 * HOST_TICKS_PER_US);
	check(context->refills.period == context->refills.budget && context->badge == 0);
	check(world.slots[ROOT_SLOT_SCHED_CONTEXT].cap.size_bits == 7);
	// Slot 2's capability and the thread's are one cnode: deleting one does not end it.
	check(!derive_is_last(&world.slots[ROOT_SLOT_CNODE]));
}

static const struct bootinfo_chunk *chunk_find(uint64_t id, struct bootinfo_chunk *header) {
	const uint8_t *extra = cap_object(&world.slots[world.info->extra_pages.start].cap);

	for (uint64_t offset = 0; offset < world.info->extra_length; offset += header->length) {
		memcpy(header, extra + offset, sizeof(*header));
		check(header->length >= sizeof(*header));
		if (header->id == id) return (const void *)(extra + offset);
	}
	return NULL;
}

static void chunks(void) {
	struct bootinfo_chunk header;
	const uint8_t *chunk;
	struct bootinfo_module module;
	struct bootinfo_options options;
	uint32_t word;

	world_boot();
	check(world.info->extra_length == 52 + 1220 + 20 + 24 + 24 + 24 + 16 + 64);
	check(chunk_find(BOOTINFO_ACPI_RSDP, &header) && header.length == 52);
	chunk = (const void *)chunk_find(BOOTINFO_MEMORY_MAP, &header);
	check(chunk && header.length == 1220);
	memcpy(&word, chunk + 16, sizeof(word));
	check(word == 2 * 24);
	chunk = (const void *)chunk_find(BOOTINFO_TSC_FREQUENCY, &header);
	check(chunk && header.length == 20);
	memcpy(&word, chunk + 16, sizeof(word));
	check(word == HOST_TICKS_PER_US);
	check((const uint8_t *)chunk_find(BOOTINFO_TSC_RATE, &header) == chunk + 20);
	chunk = (const void *)chunk_find(BOOTINFO_MODULES, &header);
	check(chunk && header.length == 16 + 64);
	memcpy(&module, chunk + 16, sizeof(module));
	check(module.paddr == 0x300000 && module.length == 0x2345);
	check(strcmp(module.name, "system.img") == 0);
	chunk = (const void *)chunk_find(BOOTINFO_IOMMU, &header);
	memcpy(&word, chunk + 16, sizeof(word));
	check(header.length == 24 && word == 0); // there is none
	chunk = (const void *)chunk_find(BOOTINFO_OPTIONS, &header);
	memcpy(&options, chunk + 16, sizeof(options));
	check(header.length == 24 && options.self_test == SELF_TEST_FULL &&
		options.report == REPORT_ON);
	check(!chunk_find(BOOTINFO_VBE, &header) && !chunk_find(BOOTINFO_FRAMEBUFFER, &header));
}

// One line that has these words.
static void boot_fails(const char *words) {
	host.output_length = 0;
	check(!boot_root(&world.facts) && host.output_length > 0);
	check(strstr(host.output, words));
	check(strchr(host.output, '\n') == host.output + host.output_length - 1);
}

static void refusals(void) {
	uint8_t *file; // headers: entry at 24, address at 80, size in memory at 104

	world_facts();
	file = physical_pointer(physical(WORLD_MODULE));
	world.facts.module_count = 0;
	boot_fails("first module");
	world.facts.module_count = 1;
	world.facts.modules[0].length = 100;
	boot_fails("initial task");
	world.facts.modules[0].length = 4096;
	file[80] = 1; // vaddr 0x400001
	boot_fails("page boundary");
	file[80] = 0;
	file[107] = 4; // 64 MiB
	boot_fails("free memory");
	file[107] = 0;
	file[85] = 0x80; // vaddr 0x800000400000: no user address
	file[29] = 0x80;
	boot_fails("too big");
	file[85] = 0;
	file[29] = 0;
	world_memory(0x90000, 0);
	boot_fails("free memory");
	file[1] = 'F';
	boot_fails("initial task");
}

static void check_root_bits(unsigned bits) {
	const struct bootinfo *info;

	check(boot_root(&world.facts) && schedule() == EXIT_TO_USER);
	world.root = this_cpu()->current;
	world.slots = cap_object(&world.root->slots[THREAD_CSPACE].cap);
	info = cap_object(&world.slots[ROOT_SLOT_BOOTINFO_FRAME].cap);
	check(info->root_cnode_bits == bits && info->empty.end == 1ul << bits);
	check(world.slots[ROOT_SLOT_CNODE].cap.size_bits == bits);
	check(world.slots[ROOT_SLOT_CNODE].cap.cnode.guard_size == 64 - bits);
	for (uint64_t i = info->empty.start; i < info->empty.end; i++)
		check(slot_is_empty(&world.slots[i]));
}

static void root_cnode_size(void) {
	static const struct {
		uint64_t ram; // above 4 GiB
		unsigned option;
		uint8_t image; // 16 MiB
		unsigned bits;
	} cases[] = {{0, 0, 0, 12}, {0, 15, 0, 15}, {300ul << 20, 0, 0, 13}, {4ul << 30, 0, 0, 16},
		{1ul << 40, 0, 0, 16}, {1ul << 40, 13, 0, 13}, {0, 0, 1, 14}, {0, 12, 1, 14},
		{4ul << 30, 0, 1, 16}};

	// A process each, for the kernel starts only once.
	for (unsigned i = 0; i < array_count(cases); i++) {
		pid_t child = fork();
		int status = 1;

		if (child == 0) {
			world_facts();
			((uint8_t *)physical_pointer(physical(WORLD_MODULE)))[107] = cases[i].image;
			world_memory(HOST_MEMORY - 0x100000, cases[i].ram);
			world.facts.root_cnode_bits = cases[i].option;
			check_root_bits(cases[i].bits);
			_exit(0);
		}
		waitpid(child, &status, 0);
		check(status == 0);
	}
}

static const struct test rows[] = {
	{"BOOT001", "the fixed slots hold what the ABI says", fixed_slots},
	{"BOOT002", "the bootinfo page has every range of slots", bootinfo},
	{"BOOT003", "untypeds are as their list says, and cover the free memory", untypeds},
	{"BOOT004", "image, buffer and bootinfo are mapped as their capabilities record", mapping},
	{"BOOT005", "the first thread enters as the ABI says", first_thread},
	{"BOOT006", "extra bootinfo has its chunks", chunks},
	{"BOOT008", "the root cnode grows with the memory, the image, or as an option says",
		root_cnode_size},
	{"BOOT007", "a missing, damaged or oversized task is reported in one line", refusals},
};

TESTS(boot_tests);
