// SPDX-License-Identifier: BSD-2-Clause
// Threads: registers, capabilities they act with, what they wait for.
#pragma once

#include <abi/fault.h>
#include <abi/message.h>
#include <cpu/context.h>
#include <cpu/fpu.h>
#include <cap/cspace.h>

// Capabilities a thread acts with, in an array like a cnode's, so that deletion treats threads and
// cnodes alike (delete.c).
enum thread_slot {
	THREAD_CSPACE,
	THREAD_SPACE,
	THREAD_BUFFER,
	THREAD_FAULT_HANDLER,
	THREAD_TIMEOUT_HANDLER,
	THREAD_GUEST_SPACE,
	THREAD_CACHE, // what `cache` leads through; programs cannot name it
	THREAD_SLOTS,
	THREAD_SLOT_RADIX = 3,
};

enum thread_state {
	THREAD_INACTIVE,
	THREAD_RUNNING, // continues at context.rip
	THREAD_RESTART, // runnable, will execute its instruction again
	THREAD_IN_GUEST, // runnable: its VCPU runs
	THREAD_BLOCKED_SEND,
	THREAD_BLOCKED_RECEIVE,
	THREAD_BLOCKED_REPLY,
	THREAD_BLOCKED_NOTIFICATION,
	THREAD_IDLE,
};

enum {
	THREAD_FLAG_FPU_DISABLED = 1 << 0, // THR-14
	THREAD_NAME_SIZE = 64,
};

// A fault waiting to be sent to, or being handled by, a handler. Its kind is thread.fault_kind.
struct fault {
	uint32_t length;
	uint64_t words[2 + LOOKUP_MAX_WORDS]; // of the message, after the registers
};

struct thread_link {
	struct thread *next, *previous;
};

// How a thread sends to an endpoint.
enum message_flags {
	MESSAGE_CALL = 1 << 0,
	MESSAGE_GRANT = 1 << 1,
	MESSAGE_GRANT_REPLY = 1 << 2,
	MESSAGE_DONATE = 1 << 3, // a fault that is not a timeout, or a Call
	MESSAGE_NONBLOCKING = 1 << 4, // does not wait for a receiver
};

struct thread {
	// Entry code saves registers at the start of the thread. Three cache lines: the register
	// frame, and after it what every switch and rendezvous uses. A fourth for capability and
	// address space.
	alignas(64) struct context context;
	union {
		struct {
			uint8_t state; // enum thread_state
			uint8_t fault_kind; // enum fault_kind; FAULT_NONE is 0
		};
		uint16_t state_and_fault; // a state alone: without a fault
	};
	union {
		struct {
			uint8_t priority, domain;
		};
		uint16_t level; // of its ready queue
	};
	uint8_t flags; // THREAD_FLAG_*
	uint8_t message_flags; // while blocked sending
	uint8_t is_queued; // in a ready queue
	uint8_t is_released; // in the release queue: its place there
	struct sched_context *sched_context;
	struct reply *reply; // while blocked: the reply object used, or waited on
	struct thread_link queue; // ready, release, endpoint or notification queue
	struct thread **waits_in; // head of the endpoint's or notification's queue

	struct cspace_cache cache; // of THREAD_CSPACE
	uint64_t space_root; // CR3 for THREAD_SPACE
	struct fpu_state *fpu_used; // null: #NM at the next FPU instruction
	struct notification *notification; // bound
	// The IPC buffer in the physical window; null: no frame, a device frame, or missing rights
	// (MSG-4).
	const struct ipc_buffer *buffer_to_read;
	struct ipc_buffer *buffer_to_write;

	uint64_t badge; // while blocked sending: of the capability used
	uint64_t cancelled_badge; // while endpoint.cursor is here
	struct thread *partner; // in a wait queue or the release queue (their headers)
	uint64_t program_root; // CR3 while the thread runs, where the kernel has tables of its own
	uint64_t buffer_address; // where THREAD_BUFFER shows the buffer
	struct sched_context *yielding_to;
	struct cpu *cpu; // where it runs, and in whose queues it stands
	struct vcpu *vcpu;
	struct trap trap;
	struct fault fault;
	struct utilisation utilisation; // benchmark build
	uint8_t max_priority; // maximum controlled priority

	char name[THREAD_NAME_SIZE];

	struct slot slots[1 << THREAD_SLOT_RADIX];

	alignas(64) uint8_t before_fpu[64 - sizeof(struct fpu_state)];
	struct fpu_state fpu;
	uint8_t fpu_area[FPU_THREAD_AREA];
};

_Static_assert(sizeof(struct thread) <= 1 << TCB_BITS);
_Static_assert(THREAD_SLOTS <= 1 << THREAD_SLOT_RADIX);
_Static_assert(offsetof(struct thread, state) == offsetof(struct thread, context) + 144);
_Static_assert(offsetof(struct thread, cache) == offsetof(struct thread, context) + 192);
_Static_assert(offsetof(struct thread, badge) == offsetof(struct thread, context) + 256);

static inline struct thread *cap_thread(const struct cap *cap) { return cap_object(cap); }

static inline bool thread_is_runnable(const struct thread *thread) {
	return thread->state >= THREAD_RUNNING && thread->state <= THREAD_IN_GUEST;
}

static inline bool thread_is_blocked(const struct thread *thread) {
	return thread->state >= THREAD_BLOCKED_SEND && thread->state <= THREAD_BLOCKED_NOTIFICATION;
}

// The thread executes the instruction it stopped at once more.
void thread_rewind(struct thread *thread);

enum { REGISTER_RIP = 0, REGISTER_RFLAGS = 2, REGISTER_FS_BASE = 18 };

// What fpu_used is before the thread's first FPU instruction.
static inline struct fpu_state *thread_fpu_at_start(struct thread *thread) {
	return fpu_is_eager() && !(thread->flags & THREAD_FLAG_FPU_DISABLED) ? &thread->fpu : NULL;
}

// Registers in the order of ReadRegisters (THR-10). Writing sanitises.
uint64_t thread_read_register(struct thread *thread, unsigned i);
void thread_write_register(struct thread *thread, unsigned i, uint64_t value);

// What capability addresses mean to a thread.

// True if the cache shows the slot that address names.
static inline bool thread_find_fast(
	const struct thread *thread, uint64_t address, struct slot **slot) {
	uint64_t index = address ^ thread->cache.prefix;

	*slot = (struct slot *)((uint64_t)thread->cache.slots + index * sizeof(struct slot));
	return likely(index < thread->cache.count);
}

// The slot that address names, with left-over bits allowed (CAP-3), or null.
static inline struct slot *thread_find(const struct thread *thread, uint64_t address) {
	struct slot *slot;

	if (thread_find_fast(thread, address, &slot)) {
		if (!slot) __builtin_unreachable(); // a cache has slots
		return slot;
	}
	return cspace_find(&thread->slots[THREAD_CSPACE].cap, address);
}

// What the portable kernel asks of virtual CPUs. Like object_ops these names point outward: the
// functions are in arch/x86_64/object.

// System call VMEnter or VCPURun (VCPU-4) of the current thread, which has a VCPU: after it the
// thread runs or is in the guest. False: it has no state page to run by.
[[nodiscard]] bool vcpu_enter(struct thread *thread, uint64_t number);

// This core has the guest of the thread already.
[[nodiscard]] bool vcpu_is_own(const struct thread *thread);

// schedule() picked thread, which is THREAD_IN_GUEST: loads its VCPU on this core and sets
// this_cpu()->guest. Address space, FPU and DR need nothing else. False if the bound notification
// is active: the system call returned instead.
[[nodiscard]] bool vcpu_prepare(struct thread *thread);

// thread is destroyed: its VCPU, if any, forgets it.
void vcpu_detach(struct thread *thread);
