// SPDX-License-Identifier: BSD-2-Clause
// The kernel around the files under test.
#include "world.h"

#include "test.h"
#include <cpu/lock.h>
#include <cap/delete.h>
#include <base/bits.h>
#include <base/panic.h>
#include <cpu/features.h>
#include <cpu/kernel_map.h>
#include <cpu/mitigations.h>
#include <cpu/pcid.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <guest/svm/guest.h>
#include <guest/vmx/guest.h>
#include <kernel.h>
#include <object/vcpu.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SLOTS = 512,
};

alignas(1 << 21) unsigned char test_memory[WORLD_PAGES << PAGE_BITS];
struct world world;
struct paging_format world_guest_format, world_dma_format;

static struct cpu cpu;
static struct kernel kernel;
static struct slot slots[SLOTS];
static unsigned slots_used;
static unsigned pages_used;
alignas(1 << PAGE_BITS) static uint64_t kernel_root[PAGING_ENTRIES];

// There is no other core.
void cores_call(uint64_t cores, core_work *work, void *argument) {
	if (cores & ~1ul) abort();
	if (cores) work(argument);
}

void panic(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	exit(1);
}

void thread_slot_leaves(struct slot *) { abort(); }

struct cpu *this_cpu(void) {
	return &cpu;
}

void cr3_write(uint64_t value) {
	check(value == cpu.space_root);
	check(!(cpu.mitigations & MITIGATION_BIT(KPTI)) || value == cpu.kernel_cr3);
	check(world.cr4 & CR4_PCIDE || !(value & (CR3_KEEP | 0xfff)));
	world.page_reloads++;
	if (world.on_reload) world.on_reload(value);
}

uint64_t cr4_read(void) { return world.cr4; }

void cr4_write(uint64_t value) { world.cr4 = value; }

void tlb_invalidate(enum tlb_kind kind, uint64_t pcid, uint64_t address) {
	check(feature_has(FEATURE_INVPCID));
	world.space_flushes++;
	world.flushed_kind = kind;
	world.flushed_pcid = pcid;
	world.flushed_page = address;
	if (world.on_space_flush) world.on_space_flush(kind, pcid, address);
}

void tlb_invalidate_page(uint64_t address) {
	world.page_flushes++;
	world.flushed_page = address;
	if (world.on_page_flush) world.on_page_flush(address);
}

void svm_invalidate(void) { world.all_flushes++; }

void vmx_invalidate_guest(physical_t root, unsigned, uint64_t) {
	world.guest_flushes++;
	world.flushed_guest = root.value;
	if (world.on_guest_flush) world.on_guest_flush(root.value);
}

void vcpu_withdraw_ports(struct cap *range) {
	world.withdrawals++;
	world.withdrawn_first = range->port.first;
	world.withdrawn_last = range->port.last;
}

const uint64_t *kernel_map_root(void) { return kernel_root; }

physical_t kernel_map_root_physical(void) { return physical_of_image(kernel_root); }

static void port_write(uint16_t port, uint32_t value) {
	world.port = port;
	world.port_value = value;
}

static uint32_t port_read(uint16_t port) {
	world.port = port;
	return world.port_value;
}

uint8_t io_in8(uint16_t port) { return (uint8_t)port_read(port); }

uint16_t io_in16(uint16_t port) { return (uint16_t)port_read(port); }

uint32_t io_in32(uint16_t port) { return port_read(port); }

void io_out8(uint16_t port, uint8_t value) { port_write(port, value); }

void io_out16(uint16_t port, uint16_t value) { port_write(port, value); }

void io_out32(uint16_t port, uint32_t value) { port_write(port, value); }

enum error error_lookup(
	struct invocation *invocation, enum lookup_side side, const struct lookup *lookup) {
	check(side == LOOKUP_TARGET);
	world.failure = (enum lookup_failure_kind)lookup->words[0];
	invocation_return(invocation, side);
	return ERROR_FAILED_LOOKUP;
}

enum error error_missing(struct invocation *invocation, enum lookup_side side, unsigned bits_left) {
	check(side == LOOKUP_TARGET);
	world.failure = LOOKUP_MISSING_CAPABILITY;
	invocation_return(invocation, bits_left);
	return ERROR_FAILED_LOOKUP;
}

enum error invocation_empty_slot(
	struct invocation *invocation, const struct cap *, unsigned word, struct slot **slot) {
	check(invocation_word(invocation, word) == 7);
	check(invocation_word(invocation, word + 1) == 64);
	*slot = world.empty_slot;
	return *slot ? ERROR_NONE : ERROR_DELETE_FIRST;
}

// The rows of object_kinds that are about spaces.
struct cap object_create(enum object_type type, void *memory, unsigned size_bits, uint64_t) {
	static const struct {
		uint8_t type, format, level;
	} rows[OBJECT_TYPE_COUNT] = {
		[OBJECT_PML4] = {CAP_SPACE, SPACE_HOST, 0},
		[OBJECT_PDPT] = {CAP_TABLE, SPACE_HOST, 3},
		[OBJECT_PAGE_DIRECTORY] = {CAP_TABLE, SPACE_HOST, 2},
		[OBJECT_PAGE_TABLE] = {CAP_TABLE, SPACE_HOST, 1},
		[OBJECT_EPT_PML4] = {CAP_SPACE, SPACE_GUEST, 0},
		[OBJECT_EPT_PDPT] = {CAP_TABLE, SPACE_GUEST, 3},
		[OBJECT_EPT_PD] = {CAP_TABLE, SPACE_GUEST, 2},
		[OBJECT_EPT_PT] = {CAP_TABLE, SPACE_GUEST, 1},
		[OBJECT_IO_PAGE_TABLE] = {CAP_TABLE, SPACE_DMA, 0},
		[OBJECT_PAGE] = {CAP_FRAME, SPACE_NONE, 0},
	};
	struct cap cap = cap_make(rows[type].type, memory);

	cap.size_bits = size_bits & 63;
	cap.map.format = rows[type].format & 3u;
	cap.map.level = rows[type].level & 3u;
	if (type == OBJECT_PML4) space_init_host(memory);
	return cap;
}

struct slot *world_empty(void) {
	check(slots_used < SLOTS);
	return &slots[slots_used++];
}

void *world_allocate(unsigned pages) {
	pages_used = (unsigned)align_up(pages_used, pages);
	check(pages_used + pages <= WORLD_PAGES);
	pages_used += pages;
	return test_memory + ((size_t)(pages_used - pages) << PAGE_BITS);
}

void world_delete(struct slot *slot) {
	static void (*const destroy[CAP_TYPES])(struct slot *, bool) = {
		[CAP_FRAME] = frame_destroy,
		[CAP_TABLE] = table_destroy,
		[CAP_SPACE] = space_destroy,
		[CAP_ASID_POOL] = asid_pool_destroy,
		[CAP_PORT_RANGE] = port_range_destroy,
	};

	do {
		slot->next &= ~(uint64_t)SLOT_UNFINISHED;
		if (destroy[slot->cap.type]) destroy[slot->cap.type](slot, derive_is_last(slot));
	} while (slot->next & SLOT_UNFINISHED);
	derive_remove(slot);
}

// It loads the kernel's tables, once; what follows is the tests'.
static void start_pcid(void) {
	pcid_start(true);
	check(world.page_reloads == 1);
	world.page_reloads = 0;
}

void world_reset(void) {
	for (unsigned i = 0; i < slots_used; i++) {
		if (!slot_is_empty(&slots[i])) world_delete(&slots[i]);
	}
	if (!slot_is_empty(&world.pool)) {
		// What is left in it never was a root with a capability: no orphan comes of it.
		memset(cap_object(&world.pool.cap), 0, 1 << ASID_POOL_BITS);
		world_delete(&world.pool);
	}
	memset(slots, 0, sizeof(slots));
	memset(&world, 0, sizeof(world));
	memset(test_memory, 0, sizeof(test_memory));
	slots_used = 0;
	pages_used = 0;
	for (unsigned i = 0; i < PAGING_ENTRIES; i++)
		kernel_root[i] = i << PAGE_BITS | 3;
	cpu = (struct cpu){.platform = &kernel.platform, .kernel = &kernel};
	kernel = (struct kernel){.platform = {.paging = {[SPACE_HOST] = &paging_host,
						      [SPACE_GUEST] = &world_guest_format,
						      [SPACE_DMA] = &world_dma_format}}};
	derive_insert_original(&world.pool, asid_pool_install(world_allocate(1)), NULL);
	check(world.pool.cap.asid_base == 0);
	world_guest_format = paging_ept;
	world_dma_format = (struct paging_format){};
	start_pcid();
}

void world_start_pcid(void) {
	cpu.features = 1ul << FEATURE_PCID | 1ul << FEATURE_INVPCID;
	start_pcid();
	check(world.cr4 & CR4_PCIDE);
}

void world_start_isolated(void) {
	cpu.mitigations = MITIGATION_BIT(KPTI);
	start_pcid();
}

bool world_is_loaded(const struct slot *root) {
	return (cpu.space_root & PAGING_ADDRESS) == physical_of(cap_object(&root->cap)).value;
}

struct slot *world_table(enum object_type type) {
	struct slot *slot = world_empty();

	derive_insert_original(
		slot, object_create(type, world_allocate(1), TABLE_BITS, false), NULL);
	return slot;
}

struct slot *world_frame(unsigned size_bits, uint64_t address) {
	struct slot *slot = world_empty();

	derive_insert_original(slot,
		object_create(OBJECT_PAGE, physical_pointer(physical(address)), size_bits, false),
		NULL);
	return slot;
}

struct slot *world_copy(struct slot *slot) {
	static enum error (*const derive[CAP_TYPES])(const struct slot *, struct cap *) = {
		[CAP_FRAME] = frame_derive,
		[CAP_TABLE] = space_derive,
		[CAP_SPACE] = space_derive,
	};
	struct cap cap = slot->cap;
	struct slot *copy = world_empty();

	if (derive[cap.type] && derive[cap.type](slot, &cap)) return NULL;
	derive_insert_copy(copy, cap, slot);
	return copy;
}

struct slot *world_space(enum object_type type) {
	struct slot *slot = world_table(type);

	check(world_call(asid_pool_assign, (struct call){.slot = &world.pool, .cap = slot}) ==
		ERROR_NONE);
	return slot;
}

enum error world_call(invocation_handler *handler, struct call call) {
	world.invocation = (struct invocation){
		.slot = call.slot,
		.registers = call.words,
		.length = 4,
		.cap_count = call.cap ? 2 : 0,
		.caps = {call.cap, call.cap},
	};
	return handler(&world.invocation);
}

uint64_t *world_entry(const struct slot *root, uint64_t address, unsigned level) {
	return paging_walk(cap_object(&root->cap), address, level).entry;
}

struct world_path world_map_path(struct slot *root, uint64_t address) {
	bool host = root->cap.map.format == SPACE_HOST;
	struct world_path path = {
		world_table(host ? OBJECT_PDPT : OBJECT_EPT_PDPT),
		world_table(host ? OBJECT_PAGE_DIRECTORY : OBJECT_EPT_PD),
		world_table(host ? OBJECT_PAGE_TABLE : OBJECT_EPT_PT),
	};

	check(!world_call(table_map, (struct call){path.pdpt, root, {address}}));
	check(!world_call(table_map, (struct call){path.directory, root, {address}}));
	check(!world_call(table_map, (struct call){path.table, root, {address}}));
	return path;
}
