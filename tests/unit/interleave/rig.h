// SPDX-License-Identifier: BSD-2-Clause
// A small system on a few cores, built anew for each scenario: objects in one cnode, which is
// every thread's capability space, and threads with short programs. What the programs do up to
// their STEP_START happens in some order, once; what comes after it in all orders. A thread whose
// program begins with STEP_START is resumed only then.
#pragma once

#include "../host/host.h"

#include <abi/invocation.h>
#include <abi/syscall.h>
#include <cap/cap.h>
#include <sched/thread.h>

enum {
	RIG_CORES_MAX = 4,
	RIG_THREADS = 6,
	RIG_RADIX = 7,
	RIG_STEPS = 8,
	RIG_PRIORITY = 10, // of threads, unless a scenario changes it
	RIG_TEXT = 0x400000, // a step is an instruction there
	RIG_PAGE = 0x600000, // where scenarios map pages
	RIG_ENTRIES = 4, // into the kernel for one step: more do not come to an end
};

enum step_kind {
	STEP_NONE, // the program is over: it loops
	STEP_START,
	STEP_CALL, // a system call
	STEP_FAULT, // an access to nothing
	STEP_TOUCH, // an access to RIG_PAGE
	STEP_FPU, // writes number into a register of the FPU
	STEP_FPU_READ, // number must be there
	STEP_TIME, // number ticks pass, and the timer comes if it is due
	STEP_DEVICE, // the device of rig_interrupt() interrupts core number, once in a scenario
};

struct step {
	enum step_kind kind;
	int64_t number;
	uint64_t rdi, rsi, r12, r13;
	uint64_t words[8]; // the first four are registers
	unsigned caps[3]; // of the message, in the IPC buffer
	bool unmaps; // afterwards no core reaches a page that is not there
	bool exits; // the guest that it enters asks its monitor for something
};

// Numbers of slots, which are the addresses of capabilities.
enum rig_slot {
	SLOT_CNODE = 1,
	SLOT_UNTYPED,
	SLOT_SPACE,
	SLOT_CONTROL, // of each core's scheduling
	SLOT_THREAD = SLOT_CONTROL + RIG_CORES_MAX,
	SLOT_CONTEXT = SLOT_THREAD + RIG_THREADS,
	SLOT_REPLY = SLOT_CONTEXT + RIG_THREADS,
	SLOT_DOMAIN = SLOT_REPLY + RIG_THREADS,
	SLOT_OTHERS,
};

// What a program finds in its registers after a step; before: a hash of what it found earlier.
struct result {
	uint64_t before, badge, tag, words[4];
};

struct rig_thread {
	struct thread *thread;
	struct step program[RIG_STEPS];
	unsigned loaded; // steps whose registers are set
	unsigned entries; // for the last of them
	struct result result; // before those of the last such step were
};

struct rig {
	unsigned thread_count;
	struct rig_thread threads[RIG_THREADS];
	struct slot *slots;
	unsigned next_slot;
	uint64_t used; // of the memory
	struct cap asid_pool;
	const struct notification *untaken; // or null: no thread takes the device's signal
	bool has_interrupted; // the device
	unsigned exits; // of guests, to their monitors
	uint64_t
		prepared[RIG_CORES_MAX]; // the guest space that each core's guest was prepared with
	bool is_started;
	bool is_unmapped; // a page was, and no core may reach it as it was
};

extern struct rig rig;

// An empty system.
void rig_build(unsigned cores);

// A thread with a context of its own on a core; or without: it gets its callers'. Returns its
// number: its capability is SLOT_THREAD and so on, its reply object SLOT_REPLY.
unsigned rig_thread(unsigned core, const struct step *program);
unsigned rig_passive_thread(unsigned core, const struct step *program);

// An object; returns its slot.
unsigned rig_object(enum object_type type, unsigned size_bits);
// A copy of the capability in a new slot.
unsigned rig_copy(unsigned slot, unsigned rights, uint64_t badge);

// A root of guest-physical memory; a device whose interrupts signal the notification.
unsigned rig_guest_space(void);
void rig_interrupt(unsigned notification);

// An invocation while nothing runs. It must succeed.
struct invocation_words {
	uint64_t words[8];
	unsigned length;
	unsigned caps[3];
	unsigned cap_count;
};
void rig_invoke(unsigned slot, unsigned label, const struct invocation_words *message);

// Its context's budget and period, in microseconds; the endpoint of its fault handler.
void rig_budget(unsigned number, uint64_t budget, uint64_t period);
void rig_handler(unsigned number, unsigned slot);

// Each core chooses among its threads that can run. The first call, or with is_started the second.
void rig_start(void);

// The system as it is now, and back to that.
void rig_save(void);
void rig_restore(void);

// What it would find now.
struct result rig_result(const struct rig_thread *self);

// For explore.h: what the programs do.
void rig_step(unsigned core);
bool rig_may_step(unsigned core);
