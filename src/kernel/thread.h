// SPDX-License-Identifier: BSD-2-Clause
// Threads: registers, capabilities they act with, what they wait for.
#pragma once

#include <abi/fault.h>
#include <abi/message.h>
#include <cpu/context.h>
#include <cpu/fpu.h>
#include <kernel/cap.h>
#include <kernel/cspace.h>

// Capabilities a thread acts with; they stand at the start of the object so that deleting a thread
// and deleting a cnode is one thing (delete.c).
enum thread_slot {
	THREAD_CSPACE,
	THREAD_SPACE,
	THREAD_BUFFER,
	THREAD_FAULT_HANDLER,
	THREAD_TIMEOUT_HANDLER,
	THREAD_GUEST_SPACE,
	THREAD_SLOTS,
	THREAD_SLOT_RADIX = 3,
};

enum thread_state {
	THREAD_INACTIVE,
	THREAD_RUNNING, // continues at context.rip
	THREAD_RESTART, // runnable, will execute its instruction again at context.fault_ip
	THREAD_IN_GUEST, // runnable: its VCPU runs
	THREAD_BLOCKED_SEND,
	THREAD_BLOCKED_RECEIVE,
	THREAD_BLOCKED_REPLY,
	THREAD_BLOCKED_NOTIFICATION,
	THREAD_IDLE,
};

enum {
	THREAD_FLAG_FPU_DISABLED = 1 << 0, // ABI: usercontext.md 4
	THREAD_NAME_SIZE = 64,
};

// A fault waiting to be told to, or being handled by, a handler.
struct fault {
	uint32_t kind; // enum fault_kind
	uint32_t length;
	uint64_t words[2 + LOOKUP_MAX_WORDS]; // of the message, behind the registers
};

struct thread_link {
	struct thread *next;
	struct thread *previous;
};

// How a thread is blocked on an endpoint.
enum message_flags {
	MESSAGE_CALL = 1 << 0,
	MESSAGE_GRANT = 1 << 1,
	MESSAGE_GRANT_REPLY = 1 << 2,
	MESSAGE_DONATE = 1 << 3, // a fault that is not a timeout, or a Call
};

struct thread {
	struct slot slots[1 << THREAD_SLOT_RADIX];
	struct context context;

	uint8_t state; // enum thread_state
	uint8_t priority;
	uint8_t max_priority; // maximum controlled priority
	uint8_t domain;
	uint8_t flags; // THREAD_FLAG_*
	uint8_t message_flags; // while blocked sending
	uint8_t is_queued; // in a ready queue
	uint8_t is_released; // in the release queue
	uint64_t badge; // while blocked sending: of the capability used

	struct sched_context *sched_context;
	struct thread_link queue; // ready, release, endpoint or notification queue
	struct thread **waits_in; // head of the endpoint's or notification's queue
	struct reply *reply; // while blocked: the reply object used, or waited on
	struct notification *notification; // bound
	struct sched_context *yielding_to;
	struct vcpu *vcpu;
	uint64_t buffer_address; // user address of the IPC buffer; 0: none
	struct fault fault;

	struct fpu_state fpu;
	alignas(64) uint8_t fpu_area[FPU_THREAD_AREA];
	char name[THREAD_NAME_SIZE];
};

_Static_assert(sizeof(struct thread) <= 1 << TCB_BITS);
_Static_assert(THREAD_SLOTS <= 1 << THREAD_SLOT_RADIX);

static inline struct thread *cap_thread(const struct cap *cap) { return cap_object(cap); }

static inline bool thread_is_runnable(const struct thread *thread) {
	return thread->state == THREAD_RUNNING || thread->state == THREAD_RESTART ||
		thread->state == THREAD_IN_GUEST;
}

static inline bool thread_is_blocked(const struct thread *thread) {
	return thread->state >= THREAD_BLOCKED_SEND && thread->state <= THREAD_BLOCKED_NOTIFICATION;
}

// Runnable, with an active context that has budget now.
bool thread_is_schedulable(const struct thread *thread);

// Queues of threads. A thread is in one at most: ready, release, endpoint or notification queue.
// The head is a pointer in the owner; head->queue.previous is the tail.

static inline struct thread *thread_queue_tail(struct thread *const *head) {
	return *head ? (*head)->queue.previous : NULL;
}

// The thread before one that is in the queue, or null.
static inline struct thread *thread_queue_before(
	struct thread *const *head, const struct thread *thread) {
	return thread == *head ? NULL : thread->queue.previous;
}

// Puts thread behind before, or first if that is null.
void thread_queue_insert(struct thread **head, struct thread *before, struct thread *thread);

void thread_queue_remove(struct thread **head, struct thread *thread);

// Waits in a queue, behind its equals in priority. A current thread stops running.
void thread_block(struct thread *thread, enum thread_state state, struct thread **queue);

// Leaves the queue it waits in, and the reply object a receiver would use.
void thread_unblock(struct thread *thread);

// Leaves whatever queue or reply the thread waits in, and forgets its fault. The state becomes
// inactive if it waited; otherwise it is unchanged.
void thread_cancel_ipc(struct thread *thread);

// Becomes inactive; a runnable thread will continue where it was (semantics.md F4).
void thread_suspend(struct thread *thread);

// A cancelled system call is executed again; a cancelled fault message leaves its thread inactive.
void thread_cancel_wait(struct thread *thread);

// An inactive or blocked thread executes its instruction again (semantics.md F3).
void thread_resume(struct thread *thread);

// The thread continues after its system call; queues it if it can run (semantics.md D22).
void thread_wake(struct thread *thread);

void thread_set_priority(struct thread *thread, unsigned priority);

// Everything that refers to the thread forgets it; it never runs again. Its slots remain.
void thread_destroy(struct thread *thread);

// Its IPC buffer in the physical window, or null: no frame, a device frame, or missing rights
// (messageinfo.md 3).
struct ipc_buffer *thread_buffer_to_write(const struct thread *thread);
const struct ipc_buffer *thread_buffer_to_read(const struct thread *thread);

// Looks address up in the thread's capability space, left-over bits allowed (semantics.md A3).
struct lookup thread_lookup(const struct thread *thread, uint64_t address);

// Register of message word i, 0..3.
uint64_t *thread_message_register(struct thread *thread, unsigned i);

enum { REGISTER_RIP = 0, REGISTER_RFLAGS = 2, REGISTER_FS_BASE = 18 };

// Registers in the order of ReadRegisters (usercontext.md 1). Writing sanitises.
uint64_t thread_read_register(struct thread *thread, unsigned i);
void thread_write_register(struct thread *thread, unsigned i, uint64_t value);
