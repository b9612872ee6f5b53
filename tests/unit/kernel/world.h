// SPDX-License-Identifier: BSD-2-Clause
// The kernel under test: booted with a small initial task, or only its memory and objects.
#pragma once

#include "../host/host.h"

#include <cpu/layout.h>
#include <boot/boot.h>
#include <cap/delete.h>
#include <sched/switch.h>
#include <syscall/dispatch.h>
#include <thread/life.h>

enum {
	WORLD_SLOTS = 4096,
	WORLD_FREE = 512, // first slot of the root cnode that tests may use, when booted
	WORLD_MODULE = 0x200000, // where the initial task's file lies
};

struct world {
	struct boot_facts facts;
	struct thread *root;
	struct slot *slots; // of the root cnode, or outside all objects
	struct invocation last; // the last call
	const struct bootinfo *info;
};

extern struct world world;

// An untyped in slot 0 over `1 << size_bits` bytes at 16 MiB, and no boot.
void world_start(unsigned size_bits);

// Of these facts the memory: so many bytes from 1 MiB and from 4 GiB on.
void world_memory(uint64_t low, uint64_t high);

// Facts of a machine with 64 MiB and an initial task of one page, ready for boot_root.
void world_facts(void);

// Boots with these facts. The slots are the root cnode's.
void world_boot(void);

// A call of a kernel object: message words and extra capabilities by slot number.
struct call {
	unsigned slot;
	unsigned label;
	unsigned length;
	unsigned caps;
	uint64_t words[8];
	unsigned cap_slots[3];
};

enum error world_call(const struct call *call);

// Repeats the call while it is preempted, as the restarted system call does.
enum error world_call_to_end(const struct call *call);

// Makes count objects in consecutive slots. The booted world takes memory from its biggest untyped.
enum error world_make(enum object_type type, unsigned size_bits, unsigned slot, unsigned count);
unsigned world_untyped(void);

// Error words of the last call.
static inline uint64_t payload(unsigned i) { return world.last.results[i]; }

// Checks that neighbours in the derivation order point to each other. Returns the filled slots.
unsigned world_check_order(void);

// Bytes a retype of the untyped could hand out now.
static inline uint64_t untyped_free_bytes(const struct slot *slot) {
	uint64_t used = slot->cap.untyped.watermark << UNTYPED_MIN_BITS;

	return (1ul << slot->cap.size_bits) - (derive_has_child(slot) ? used : 0);
}
