// SPDX-License-Identifier: BSD-2-Clause
// Call to a passive receiver, a fault told to a passive handler, and the ReplyRecv that answers
// them: the scheduling context moves along, so neither time nor ready queues are touched. And
// Signal to a thread that waits. Messages carry no capabilities.
//
// Straight code on purpose: conditions first, joined where they can be, then all changes. This file
// is compiled without callee-saved registers, for entry has saved the program's.
#include <entry/fastpath.h>

#include <abi/fault.h>
#include <abi/message.h>
#include <base/compiler.h>
#include <cpu/bases.h>
#include <entry/trap.h>
#include <kernel/endpoint.h>
#include <kernel/fault.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/run_queue.h>
#include <kernel/sched_context.h>
#include <kernel/schedule.h>
#include <kernel/space.h>
#include <kernel/syscall.h>
#include <kernel/thread_queue.h>

// Where type and rights stand in the head of a capability.
#define HEAD_TYPE 0x1ful
#define HEAD_RIGHT(right) ((uint64_t)(right) << 5)

#define TAG_REST 0xffful // of a tag: everything but the label

// Where in the capability space of one cnode an address leads.
static inline uint64_t index_of(const struct thread *thread, uint64_t address) {
	return address ^ thread->window.prefix;
}

static inline bool head_is(uint64_t head, enum cap_type type, uint64_t rights) {
	return (head & (HEAD_TYPE | HEAD_RIGHT(rights))) == ((uint64_t)type | HEAD_RIGHT(rights));
}

// An endpoint with Write and one of the two rights to grant, which stand side by side above: what
// is left when the least such head is subtracted are these two bits.
static inline bool head_may_call(uint64_t head) {
	const uint64_t grants = HEAD_RIGHT(RIGHT_GRANT | RIGHT_GRANT_REPLY);
	const uint64_t least = CAP_ENDPOINT | HEAD_RIGHT(RIGHT_WRITE | RIGHT_GRANT);

	_Static_assert(RIGHT_GRANT_REPLY == 2 * RIGHT_GRANT && RIGHT_GRANT > RIGHT_WRITE);
	return (((head & (HEAD_TYPE | HEAD_RIGHT(RIGHT_WRITE) | grants)) - least) & ~grants) == 0;
}

static inline void *head_object(uint64_t head) { return (void *)((int64_t)head >> 16); }

// Each path exists twice, so that the shortest need not save registers for what may come: with
// words in registers only, or also in the IPC buffer. No capabilities.
enum message_shape { MESSAGE_SHORT = MESSAGE_REGISTERS, MESSAGE_LONG = MESSAGE_MAX_LENGTH };

static inline bool tag_fits(uint64_t tag, enum message_shape shape) {
	return (tag & TAG_REST) <= (uint64_t)shape;
}

static inline void message_give(const struct thread *from, struct thread *to, uint64_t badge,
	uint64_t tag, enum message_shape shape) {
	unsigned length = tag & TAG_REST;

	to->context.rdi = badge;
	to->context.rsi = tag;
	if (shape == MESSAGE_LONG)
		to->context.rsi = (tag & ~TAG_REST) | message_copy(from, to, length);
	else if (unlikely(length > 0))
		message_copy_registers(&from->context, &to->context, length);
}

// From one user of the FPU to another, or the general way. All native threads have one XCR0, and
// addresses of the kernel are negative numbers: neither may be null.
static inline void switch_fpu(struct cpu *cpu, struct fpu_state *next) {
	struct fpu_state *owner = __atomic_load_n(&cpu->fpu_allowed, __ATOMIC_RELAXED);

	if (((int64_t)owner & (int64_t)next) >= 0 || !feature_has(FEATURE_XSAVEOPT))
		return fpu_give(next);
	fpu_exchange(owner, next);
	cpu->fpu_allowed = next;
}

// next, which has the context of current now, runs instead of it.
static inline void switch_to(struct cpu *cpu, struct thread *current, struct thread *next) {
	struct sched_context *context = current->sched_context;

	current->sched_context = NULL;
	context->thread = next;
	next->sched_context = context;
	next->state = THREAD_RUNNING;
	cpu->current = next;
	bases_exchange(&current->context, &next->context);
	space_load(cpu, next);
	if (unlikely(cpu->fpu_allowed != next->fpu_used)) switch_fpu(cpu, next->fpu_used);
	check_after_call();
}

// The first that waits on endpoint can run in the place of a caller, on the caller's time.
static inline bool can_take_over(const struct cpu *cpu, const struct thread *receiver) {
	return receiver && receiver->state == THREAD_BLOCKED_RECEIVE && !receiver->sched_context &&
		receiver->reply && receiver->priority >= cpu->ready_top;
}

// caller waits for the reply of receiver, which stops waiting.
static inline void push_reply(
	struct endpoint *endpoint, struct thread *receiver, struct thread *caller) {
	struct sched_context *context = caller->sched_context;
	struct reply *reply = receiver->reply;
	struct reply *older = context->reply;

	thread_queue_take_first(&endpoint->head);
	receiver->reply = NULL;
	caller->state = THREAD_BLOCKED_REPLY;
	caller->reply = reply;
	reply->thread = caller;
	reply->older = older;
	if (older) {
		older->newer = reply;
		older->head = NULL;
	}
	reply->head = context;
	context->reply = reply;
}

[[gnu::always_inline]] static inline void call(
	uint64_t address, uint64_t tag, enum message_shape shape) {
	struct cpu *cpu = this_cpu();
	struct thread *caller = cpu->current;
	uint64_t index = index_of(caller, address);
	struct endpoint *endpoint;
	struct thread *receiver;
	uint64_t head, badge;

	if (unlikely(index >= caller->window.count)) return syscall_slow();
	head = caller->window.slots[index].cap.head;
	badge = caller->window.slots[index].cap.badge;
	if (unlikely(!head_may_call(head))) return call_slow(&caller->window.slots[index]);
	endpoint = head_object(head);
	receiver = endpoint->head;
	if (unlikely(!can_take_over(cpu, receiver))) return syscall_slow();

	push_reply(endpoint, receiver, caller);
	message_give(caller, receiver, badge, tag, shape);
	switch_to(cpu, caller, receiver);
}

// Long messages, and those with capabilities.
[[gnu::noinline]] static void call_long(uint64_t address, uint64_t tag) {
	const struct thread *caller = this_cpu()->current;
	uint64_t index = index_of(caller, address);

	if (likely(tag_fits(tag, MESSAGE_LONG))) return call(address, tag, MESSAGE_LONG);
	if (unlikely(index >= caller->window.count)) return syscall_slow();
	call_slow(&caller->window.slots[index]);
}

void fastpath_call(uint64_t address, uint64_t tag) {
	if (unlikely(!tag_fits(tag, MESSAGE_SHORT))) return call_long(address, tag);
	call(address, tag, MESSAGE_SHORT);
}

// A fault handler may always be called (fault_handler_is_valid).
void fastpath_exception(uint64_t vector, uint64_t code) {
	struct cpu *cpu = this_cpu();
	struct thread *faulter = cpu->current;
	const struct cap *handler = &faulter->slots[THREAD_FAULT_HANDLER].cap;
	struct endpoint *endpoint = cap_object(handler);
	struct thread *receiver;

	if (unlikely(handler->type != CAP_ENDPOINT || vector == VECTOR_NO_FPU ||
		    !can_take_over(cpu, endpoint->head)))
		return exception_slow(vector, code);

	exception_note(faulter, vector, code);
	receiver = endpoint->head;
	push_reply(endpoint, receiver, faulter);
	receiver->context.rdi = handler->badge;
	receiver->context.rsi = fault_write_message(faulter, receiver);
	switch_to(cpu, faulter, receiver);
}

// A receiver would find the endpoint empty, or wait behind others that wait already.
static inline bool may_wait(const struct endpoint *endpoint, const struct thread *thread) {
	const struct thread *last;

	if (likely(!endpoint->head)) return true;
	last = endpoint->head->queue.previous;
	return last->state == THREAD_BLOCKED_RECEIVE && last->priority >= thread->priority;
}

// The reply lets the caller go on; one that faulted restarts, whatever its registers become.
static inline bool may_restart(const struct thread *caller, uint64_t tag) {
	if (caller->fault_kind == FAULT_NONE) return true;
	return caller->fault_kind != FAULT_TIMEOUT && fault_reply_restarts(caller, tag);
}

// Whoever waits for the reply gets back the context that the server runs on, and can run at once.
static inline bool can_return(
	const struct cpu *cpu, const struct reply *reply, const struct sched_context *context) {
	const struct thread *caller = reply->thread;

	return caller && reply->head == context && !caller->sched_context &&
		caller->priority >= cpu->ready_top;
}

static inline void pop_reply(struct reply *reply) {
	struct sched_context *context = reply->head;
	struct reply *older = reply->older;

	context->reply = older;
	if (unlikely(older)) {
		older->newer = NULL;
		older->head = context;
		reply->older = NULL;
	}
	reply->head = NULL;
	reply->thread->reply = NULL;
}

static void reply_recv_long(uint64_t address, uint64_t tag);

[[gnu::always_inline]] static inline void reply_recv(
	uint64_t address, uint64_t tag, enum message_shape shape) {
	struct cpu *cpu = this_cpu();
	struct thread *server = cpu->current;
	uint64_t source = index_of(server, address);
	uint64_t answer = index_of(server, server->context.r12);
	const struct notification *notification = server->notification;
	uint64_t endpoint_head, reply_head;
	struct endpoint *endpoint;
	struct thread *caller;
	struct reply *reply;

	if (unlikely((source | answer) >= server->window.count)) return syscall_slow(); // 2^n slots
	endpoint_head = server->window.slots[source].cap.head;
	reply_head = server->window.slots[answer].cap.head;
	if (unlikely(!head_is(endpoint_head, CAP_ENDPOINT, RIGHT_READ) ||
		    !head_is(reply_head, CAP_REPLY, 0)))
		return syscall_slow();
	endpoint = head_object(endpoint_head);
	reply = head_object(reply_head);
	if (unlikely(!can_return(cpu, reply, server->sched_context) ||
		    !may_wait(endpoint, server) || (notification && notification->is_active)))
		return syscall_slow();
	caller = reply->thread;
	if (shape == MESSAGE_SHORT) {
		if (unlikely(caller->state_and_fault != THREAD_BLOCKED_REPLY))
			return reply_recv_long(address, tag);
	} else if (caller->state != THREAD_BLOCKED_REPLY || !may_restart(caller, tag)) {
		return syscall_slow();
	}

	pop_reply(reply);
	reply->thread = server;
	server->reply = reply;
	server->state = THREAD_BLOCKED_RECEIVE;
	server->waits_in = &endpoint->head;
	thread_queue_append(&endpoint->head, server);
	if (shape == MESSAGE_SHORT || caller->fault_kind == FAULT_NONE) {
		message_give(server, caller, 0, tag, shape);
	} else {
		fault_take_reply(caller, server);
		thread_rewind(caller);
	}
	switch_to(cpu, server, caller);
}

// Long messages, and replies to faults.
[[gnu::noinline]] static void reply_recv_long(uint64_t address, uint64_t tag) {
	if (!tag_fits(tag, MESSAGE_LONG)) return syscall_slow();
	reply_recv(address, tag, MESSAGE_LONG);
}

void fastpath_reply_recv(uint64_t address, uint64_t tag) {
	if (unlikely(!tag_fits(tag, MESSAGE_SHORT))) return reply_recv_long(address, tag);
	reply_recv(address, tag, MESSAGE_SHORT);
}

// To put the current thread aside its time is charged: that leaves it enough only before the moment
// of attention.
static inline bool can_preempt(const struct cpu *cpu) {
	schedule_update_time();
	return cpu->now < cpu->attention;
}

// A waiter with time of its own and budget to use it. For that the clock need not be read: what was
// ready at the last entry still is.
static inline bool can_wake(const struct cpu *cpu, const struct thread *waiter) {
	const struct sched_context *context = waiter->sched_context;

	return context && sched_context_is_active(context) &&
		!(context->flags & SCHED_CONTEXT_SPORADIC) &&
		refill_head(context)->time <= cpu->now &&
		refill_head(context)->amount >= cpu->minimum_budget &&
		(waiter->priority <= cpu->current->priority || can_preempt(cpu));
}

static inline void wake(const struct cpu *cpu, struct thread *waiter) {
	waiter->state = THREAD_RUNNING;
	if (waiter->priority <= cpu->current->priority)
		ready_append(waiter);
	else
		schedule_preempt(waiter);
	check_after_call();
}

static inline void signal(
	const struct cpu *cpu, struct notification *notification, uint64_t badge) {
	struct thread *waiter = notification->head;
	const struct thread *bound = notification->bound;

	if (waiter) {
		if (unlikely(!can_wake(cpu, waiter))) return syscall_slow();
		thread_queue_take_first(&notification->head);
		waiter->context.rdi = badge;
		return wake(cpu, waiter);
	}
	// Nobody to wake, or a thread elsewhere that the signal may reach.
	if (bound && bound != cpu->current && !notification->is_active) return syscall_slow();
	notification->is_active = true;
	notification->word |= badge;
	check_after_call();
}

static inline void send(
	const struct cpu *cpu, struct endpoint *endpoint, uint64_t badge, uint64_t tag) {
	struct thread *receiver = endpoint->head;

	if (unlikely(!tag_fits(tag, MESSAGE_SHORT) || !receiver ||
		    receiver->state != THREAD_BLOCKED_RECEIVE || !can_wake(cpu, receiver)))
		return syscall_slow();
	thread_queue_take_first(&endpoint->head);
	if (receiver->reply) receiver->reply->thread = NULL;
	receiver->reply = NULL;
	message_give(cpu->current, receiver, badge, tag, MESSAGE_SHORT);
	wake(cpu, receiver);
}

void fastpath_send(uint64_t address, uint64_t tag) {
	const struct cpu *cpu = this_cpu();
	struct thread *sender = cpu->current;
	uint64_t index = index_of(sender, address);
	uint64_t head, badge;

	if (unlikely(index >= sender->window.count)) return syscall_slow();
	head = sender->window.slots[index].cap.head;
	badge = sender->window.slots[index].cap.badge;
	if (head_is(head, CAP_NOTIFICATION, RIGHT_WRITE) && tag_caps(tag) == 0)
		signal(cpu, head_object(head), badge);
	else if (head_is(head, CAP_ENDPOINT, RIGHT_WRITE))
		send(cpu, head_object(head), badge, tag);
	else
		syscall_slow();
}
