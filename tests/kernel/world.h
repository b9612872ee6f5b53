// SPDX-License-Identifier: BSD-2-Clause
// What a test may use: slots, objects from an arena that is revoked after each test, helper threads
// that live in the same address space, and measures of time.
#pragma once

#include <stdint.h>
#include <abi/bootinfo.h>
#include <abi/fault.h>
#include <abi/object.h>
#include <x86/instructions.h>
#include "message.h"
#include "test.h"

enum {
	NULL_CAP = 0,
	DEPTH = 64, // names a slot of the root CNode by its number
	ARENA_BITS = 26,

	PRIORITY_WATCHDOG = 255,
	PRIORITY_MAIN = 250,
	PRIORITY_HELPER = 100,
	PRIORITY_SETTLE = 2, // below every helper

	HELPERS = 16, // without the watchdog
	HELPER_STACK = 8192,

	// Microseconds: budget and period of an ordinary helper. An emulator that is stopped for a
	// while charges that time to the running thread, so it is long.
	TIME_SLICE = 50000,
};

// Type codes of DebugCapIdentify (SYS-17).
enum cap_kind {
	KIND_NULL = 0,
	KIND_FRAME = 1,
	KIND_UNTYPED = 2,
	KIND_PAGE_TABLE = 3,
	KIND_ENDPOINT = 4,
	KIND_PAGE_DIRECTORY = 5,
	KIND_NOTIFICATION = 6,
	KIND_PDPT = 7,
	KIND_REPLY = 8,
	KIND_PML4 = 9,
	KIND_CNODE = 10,
	KIND_ASID_CONTROL = 11,
	KIND_TCB = 12,
	KIND_ASID_POOL = 13,
	KIND_IRQ_CONTROL = 14,
	KIND_IO_SPACE = 15,
	KIND_IRQ_HANDLER = 16,
	KIND_PORT_RANGE = 19,
	KIND_DOMAIN = 20,
	KIND_SCHED_CONTEXT = 22,
	KIND_SCHED_CONTROL = 24,
	KIND_PORT_CONTROL = 31,
};

// What every test finds. Written once before the first test.
struct world {
	const struct bootinfo *bootinfo;
	uint64_t image_base;
	uint64_t tsc_mhz;
	uint64_t arena; // untyped of 2^ARENA_BITS bytes, empty at the start of each test
	uint64_t sched_control;
	uint64_t device; // device untyped of at least 8 KiB, or NULL_CAP
	uint64_t slot_first; // slots handed to tests
	uint64_t slot_end;
};

extern struct world world;

void world_see(const struct bootinfo *info);
void world_slots_take(uint64_t count);
// The largest untyped; also finds the device untyped.
uint64_t world_memory(void);

// Slots and objects
uint64_t slot_take(void);
void slots_keep(void); // the slots taken so far are no test's
struct message retype(uint64_t untyped, struct words words); // into the root CNode; six words
struct message retype_one(uint64_t untyped, uint64_t type, uint64_t size_bits, uint64_t slot);
uint64_t object_new(uint64_t type, uint64_t size_bits);
uint64_t object_new_in(uint64_t untyped, uint64_t type, uint64_t size_bits);
uint64_t cap_copy(uint64_t source);
uint64_t cap_copy_rights(uint64_t source, uint64_t rights);
uint64_t cap_mint(uint64_t source, uint64_t rights, uint64_t data);
struct message cap_delete(uint64_t slot);
struct message cap_revoke(uint64_t slot);
uint64_t cap_kind(uint64_t slot);
// A CNode cap with these guard bits, in a slot of its own; its slots are named by (cap, index,
// depth).
uint64_t cnode_make(uint64_t radix, uint64_t guard, uint64_t guard_bits);
// Empties the arena and deletes the capabilities in the slots taken; returns the end of these
// slots.
uint64_t arena_empty(void);
void arena_clean(void); // the same, and checks that nothing is left: needs a debug kernel
const struct bootinfo_chunk *chunk_find(uint64_t id);

// Time
uint64_t tsc_of(uint64_t microseconds);
void sleep_microseconds(uint64_t microseconds);
void spin_microseconds(uint64_t microseconds);

struct sched_setting {
	uint64_t budget;
	uint64_t period;
	uint64_t refills; // extra ones
	uint64_t badge;
	uint64_t flags;
};

struct message sched_configure(uint64_t sched_context, struct sched_setting setting);
uint64_t sched_context_make(struct sched_setting setting);

// Guard bits of the root CNode.
#define ROOT_GUARD (64u - world.bootinfo->root_cnode_bits)

// Helper threads
struct helper {
	uint64_t tcb;
	uint64_t sched_context; // NULL_CAP: passive
	unsigned index;
	void (*run)(struct helper *helper);
	uint64_t argument[6];
	volatile uint64_t result[8];
	volatile uint64_t count; // spins, rounds
	volatile uint64_t done;
	struct message message;
	struct ipc_buffer *buffer;
};

struct helper *helper_make(uint64_t priority);
struct helper *helper_make_passive(uint64_t priority);
struct helper *helper_make_with(uint64_t priority, struct sched_setting setting);
void helper_start(struct helper *helper, void (*run)(struct helper *helper));
// Starts at an address with rdi and an own stack, without the helper's usual frame.
void helper_start_at(struct helper *helper, const void *address, uint64_t rdi);
// For helper_start: receives once at argument 0 with the Reply of argument 1, and counts.
void helper_receive(struct helper *helper);
void helper_fault_handler_set(struct helper *helper, uint64_t endpoint);
void helper_timeout_handler_set(struct helper *helper, uint64_t endpoint);
uint64_t helper_stack_top(const struct helper *helper);
uint64_t helper_buffer_frame(const struct helper *helper);
struct message helper_registers_read(struct helper *helper);
// A helper that starts at an instruction and whose faults the main thread receives.
struct fault_case {
	struct helper *helper;
	uint64_t endpoint;
	uint64_t reply;
};

struct fault_case fault_case_make(const char *address, uint64_t rdi);
// A helper's receive faults, since endpoint or Reply is the TCB of the main thread.
void helper_receive_faults(uint64_t endpoint, uint64_t reply);
void helpers_forget(void);
void helpers_stop(void);
// Lets every other thread run until each of them is blocked or out of time.
void settle(void);
void priority_main_set(void);

// Frame cap of a page of this program.
uint64_t image_frame(const void *address);
uint64_t image_page_count(void);

// Address spaces: an address of its own for tests, 1 GiB aligned and otherwise unused.
#define TEST_ADDRESS 0x4000000000ul
uint64_t space_new(void);
void tables_make(uint64_t space, uint64_t address);
struct message table_map(uint64_t table, uint64_t label, uint64_t space, uint64_t address);
struct message frame_map(uint64_t frame, uint64_t space, uint64_t address, uint64_t rights);
struct message frame_unmap(uint64_t frame);
// Maps all pages of this program into another space at the same addresses.
void image_map(uint64_t space);
// A helper spins in the space, which is mapped here, until the operation on `cap` destroys it.
void space_destroyed_check(uint64_t space, struct message (*destroy)(uint64_t cap), uint64_t cap);

// The watchdog ends a test that makes no progress.
void watchdog_start(void);
void watchdog_arm(void);
void watchdog_disarm(void);
