// SPDX-License-Identifier: BSD-2-Clause
// Call to a passive receiver, a fault sent to a passive handler, and the ReplyRecv that answers
// them: the scheduling context moves along, so neither time nor ready queues are touched. And Send
// and Signal to a thread with time of its own. Messages carry no capabilities.
//
// Straight code on purpose: conditions first, combined where possible, then all changes. This file
// is compiled without callee-saved registers, for entry has saved the program's.
#include <entry/fastpath.h>

#include <check/check.h>
#include <cpu/bases.h>
#include <entry/fastpath_parts.h>
#include <entry/trap.h>
#include <ipc/endpoint.h>
#include <ipc/fault_message.h>
#include <ipc/notification.h>
#include <ipc/reply.h>
#include <memory/space.h>

static inline void finish(struct cpu *cpu) {
	check_before_exit();
	if (SEVERAL_CORES) core_leave(cpu);
	exit_to_user();
}

// next, which gets the context of current, runs instead of it. Data selectors stay as they are:
// hiding from a partner which ones a program has loaded is not worth four reads.
static inline void switch_to(struct cpu *cpu, struct thread *current, struct thread *next,
	struct sched_context *context) {
	current->sched_context = NULL;
	context->thread = next;
	next->sched_context = context;
	next->state = THREAD_RUNNING;
	benchmark_switch(cpu, next);
	cpu->current = next;
	bases_exchange(&current->context, &next->context);
	space_load(cpu, next->space_root);
	if (cpu->fpu_allowed != next->fpu_used) fpu_give_fast(cpu, next->fpu_used);
	finish(cpu);
}

// The first waiter on endpoint can run in the place of a caller, on the caller's time.
static inline bool can_take_over(const struct cpu *cpu, const struct endpoint *endpoint) {
	const struct thread *receiver = is_own(cpu, endpoint->owner) ? endpoint->head : NULL;

	return receiver && receiver->state == THREAD_BLOCKED_RECEIVE && !receiver->sched_context &&
		is_own(cpu, (uint64_t)receiver->cpu) && receiver->reply &&
		receiver->priority >= cpu->ready_top;
}

// caller waits for the reply of receiver, which stops waiting.
static inline void push_reply(struct endpoint *endpoint, struct thread *receiver,
	struct thread *caller, struct sched_context *context) {
	struct reply *reply = receiver->reply;

	wait_queue_take_first(&endpoint->head);
	receiver->reply = NULL;
	reply_wait(reply, caller);
	reply_chain(reply, context);
}

static void call_long(uint64_t address, uint64_t tag);

[[gnu::always_inline]] static inline void call(
	uint64_t address, uint64_t tag, enum message_shape shape) {
	struct cpu *cpu = this_cpu();
	struct thread *caller = cpu->current;
	struct sched_context *context = caller->sched_context;
	struct endpoint *endpoint;
	struct slot *slot;
	struct thread *receiver;
	uint64_t head, badge;

	if (!find(caller, address, shape, &slot))
		return shape != MESSAGE_LONG ? call_long(address, tag) : syscall_slow();
	head = slot->cap.head;
	badge = slot->cap.badge;
	if (unlikely(!cap_head_may_call(head))) return call_slow(slot);
	endpoint = cap_head_object(head);
	if (unlikely(!can_take_over(cpu, endpoint))) return call_slow(slot);
	receiver = endpoint->head;

	push_reply(endpoint, receiver, caller, context);
	message_give(caller, receiver, badge, tag, shape);
	switch_to(cpu, caller, receiver, context);
}

[[gnu::noinline]] static void call_long(uint64_t address, uint64_t tag) {
	struct slot *slot;

	if (likely(tag_fits(tag, MESSAGE_LONG))) return call(address, tag, MESSAGE_LONG);
	if (!thread_find_fast(this_thread(), address, &slot)) return syscall_slow();
	call_slow(slot);
}

[[gnu::noinline]] static void call_short(uint64_t address, uint64_t tag) {
	if (unlikely(!tag_fits(tag, MESSAGE_SHORT))) return call_long(address, tag);
	call(address, tag, MESSAGE_SHORT);
}

void fastpath_call(uint64_t address, uint64_t tag) {
	if (!begin(this_cpu())) return syscall_slow();
	if (!tag_fits(tag, MESSAGE_EMPTY)) return call_short(address, tag);
	call(address, tag, MESSAGE_EMPTY);
}

// A fault handler may always be called (may_handle_faults() of tcb.c).
void fastpath_exception(uint64_t vector, uint64_t code) {
	struct cpu *cpu = this_cpu();
	struct thread *faulter = cpu->current;
	const struct cap *handler = &faulter->slots[THREAD_FAULT_HANDLER].cap;
	struct endpoint *endpoint = cap_object(handler);
	struct thread *receiver;

	if (!SEVERAL_CORES && unlikely(cpu->has_peers))
		return fastpath_cores_exception(vector, code);
	if (unlikely(!begin(cpu) || handler->type != CAP_ENDPOINT || vector == VECTOR_NO_FPU ||
		    !can_take_over(cpu, endpoint)))
		return exception_slow(vector, code);

	exception_note(faulter, vector, code);
	receiver = endpoint->head;
	push_reply(endpoint, receiver, faulter, faulter->sched_context);
	receiver->context.rdi = handler->badge;
	receiver->context.rsi = fault_write_message(faulter, receiver);
	switch_to(cpu, faulter, receiver, faulter->sched_context);
}

// A receiver would find the endpoint empty, or wait behind others.
static inline bool may_wait(const struct endpoint *endpoint, const struct thread *thread) {
	const struct thread *last;

	if (likely(!endpoint->head)) return true;
	last = endpoint->head->queue.previous;
	return last->state == THREAD_BLOCKED_RECEIVE && last->priority >= thread->priority;
}

// The reply lets the caller continue; one that faulted restarts, whatever its registers become.
static inline bool may_restart(const struct thread *caller, uint64_t tag) {
	if (caller->fault_kind == FAULT_NONE) return true;
	return caller->fault_kind != FAULT_TIMEOUT && fault_reply_restarts(caller, tag);
}

// The waiting caller, which gets back the context that the server runs on, if it can run at once.
static inline struct thread *waiting_caller(
	const struct cpu *cpu, const struct reply *reply, const struct sched_context *context) {
	struct thread *caller;

	if (!reply_is_head(reply, context)) return NULL;
	caller = reply_thread(reply);
	return !caller->sched_context && is_own(cpu, (uint64_t)caller->cpu) &&
			caller->priority >= cpu->ready_top
		? caller
		: NULL;
}

// The server waits for its next message, with the reply object that it has just used.
static inline void wait_for_next(struct endpoint *endpoint, struct thread *server,
	struct reply *reply, enum message_shape shape) {
	reply_set(reply, server);
	server->reply = reply;
	server->state = THREAD_BLOCKED_RECEIVE;
	server->waits_in = &endpoint->head;
	if (shape != MESSAGE_LONG)
		thread_queue_start(&endpoint->head, server);
	else
		wait_queue_insert(&endpoint->head, server);
}

static void reply_recv_long(uint64_t address, uint64_t tag);

[[gnu::always_inline]] static inline void reply_recv(
	uint64_t address, uint64_t tag, enum message_shape shape) {
	struct cpu *cpu = this_cpu();
	struct thread *server = cpu->current;
	struct slot *source, *answer;
	const struct notification *notification = server->notification;
	uint64_t endpoint_head, reply_head;
	struct endpoint *endpoint;
	struct thread *caller;
	struct reply *reply;

	if (!find(server, address, shape, &source) ||
		!find(server, server->context.r12, shape, &answer))
		return shape != MESSAGE_LONG ? reply_recv_long(address, tag) : syscall_slow();
	endpoint_head = source->cap.head;
	reply_head = answer->cap.head;
	if (unlikely(!cap_head_is(endpoint_head, CAP_ENDPOINT, RIGHT_READ) ||
		    !cap_head_is(reply_head, CAP_REPLY, 0)))
		return syscall_slow();
	endpoint = cap_head_object(endpoint_head);
	reply = cap_head_object(reply_head);
	caller = waiting_caller(cpu, reply, server->sched_context);
	if (unlikely(!caller || !is_own(cpu, endpoint->owner) ||
		    (notification && notification->is_active)))
		return syscall_slow();
	if (shape != MESSAGE_LONG) {
		if (unlikely(endpoint->head || caller->state_and_fault != THREAD_BLOCKED_REPLY))
			return reply_recv_long(address, tag);
	} else if (!may_wait(endpoint, server) || caller->state != THREAD_BLOCKED_REPLY ||
		!may_restart(caller, tag)) {
		return syscall_slow();
	}

	reply_unchain(reply, server->sched_context);
	caller->reply = NULL;
	wait_for_next(endpoint, server, reply, shape);
	if (shape != MESSAGE_LONG || caller->fault_kind == FAULT_NONE) {
		message_give(server, caller, 0, tag, shape);
	} else {
		fault_take_reply(caller, server);
		thread_rewind(caller);
	}
	switch_to(cpu, server, caller, server->sched_context);
}

// Long messages, replies to faults, and servers of several threads.
[[gnu::noinline]] static void reply_recv_long(uint64_t address, uint64_t tag) {
	if (!tag_fits(tag, MESSAGE_LONG)) return syscall_slow();
	reply_recv(address, tag, MESSAGE_LONG);
}

[[gnu::noinline]] static void reply_recv_short(uint64_t address, uint64_t tag) {
	if (unlikely(!tag_fits(tag, MESSAGE_SHORT))) return reply_recv_long(address, tag);
	reply_recv(address, tag, MESSAGE_SHORT);
}

void fastpath_reply_recv(uint64_t address, uint64_t tag) {
	if (!begin(this_cpu())) return syscall_slow();
	if (!tag_fits(tag, MESSAGE_EMPTY)) return reply_recv_short(address, tag);
	reply_recv(address, tag, MESSAGE_EMPTY);
}

// Preempting the current thread charges its time: that leaves it enough only before next_event.
static inline bool can_preempt(const struct cpu *cpu) {
	schedule_update_time();
	return cpu->now < cpu->next_event;
}

// A waiter with time of its own and budget to use it. For that the clock need not be read: what was
// ready at the last entry still is.
static inline bool can_wake(const struct cpu *cpu, const struct thread *waiter, int *rank) {
	const struct sched_context *context = waiter->sched_context;

	if (unlikely(!is_own(cpu, (uint64_t)waiter->cpu) || !context ||
		    !schedule_may_use_now(cpu, context)))
		return false;
	*rank = priority_above_current(waiter, cpu);
	return *rank <= 0 || can_preempt(cpu);
}

static inline void wake(struct thread *waiter, struct cpu *cpu, int rank) {
	waiter->state = THREAD_RUNNING;
	switch_or_queue(waiter, cpu, rank);
	finish(cpu);
}

// The bound thread may be in its guest, which the signal has to end.
static inline bool is_bound_elsewhere(
	const struct notification *notification, const struct cpu *cpu) {
	return notification->bound && notification->bound->cpu != cpu;
}

static inline void signal(struct cpu *cpu, struct notification *notification, uint64_t badge) {
	struct thread *waiter;
	int rank;

	if (unlikely(!is_own(cpu, notification->owner))) return syscall_slow();
	waiter = notification->head;
	if (waiter) {
		if (unlikely(!can_wake(cpu, waiter, &rank))) return syscall_slow();
		wait_queue_take_first(&notification->head);
	} else if (SEVERAL_CORES && unlikely(is_bound_elsewhere(notification, cpu))) {
		return syscall_slow();
	} else if (notification_reaches_bound(notification)) {
		waiter = notification->bound;
		if (unlikely(!is_own(cpu, endpoint_of_waiter(waiter)->owner) ||
			    !can_wake(cpu, waiter, &rank)))
			return syscall_slow();
		thread_unblock(waiter);
	} else {
		notification->is_active = true;
		notification->word |= badge;
		return finish(cpu);
	}
	waiter->context.rdi = badge;
	wake(waiter, cpu, rank);
}

static inline void send(struct cpu *cpu, struct endpoint *endpoint, uint64_t badge, uint64_t tag) {
	struct thread *receiver = is_own(cpu, endpoint->owner) ? endpoint->head : NULL;
	int rank;

	if (unlikely(!tag_fits(tag, MESSAGE_SHORT) || !receiver ||
		    receiver->state != THREAD_BLOCKED_RECEIVE || !can_wake(cpu, receiver, &rank)))
		return syscall_slow();
	wait_queue_take_first(&endpoint->head);
	if (receiver->reply) reply_set(receiver->reply, NULL);
	receiver->reply = NULL;
	message_give(cpu->current, receiver, badge, tag, MESSAGE_SHORT);
	wake(receiver, cpu, rank);
}

void fastpath_send(uint64_t address, uint64_t tag) {
	struct cpu *cpu = this_cpu();
	const struct slot *slot;
	uint64_t head, badge;

	if (!begin(cpu)) return syscall_slow();
	slot = thread_find(cpu->current, address);
	if (unlikely(!slot)) return syscall_slow();
	head = slot->cap.head;
	badge = slot->cap.badge;
	if (cap_head_is(head, CAP_NOTIFICATION, RIGHT_WRITE) && tag_caps(tag) == 0)
		signal(cpu, cap_head_object(head), badge);
	else if (cap_head_is(head, CAP_ENDPOINT, RIGHT_WRITE))
		send(cpu, cap_head_object(head), badge, tag);
	else
		syscall_slow();
}
