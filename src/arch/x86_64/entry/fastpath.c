// SPDX-License-Identifier: BSD-2-Clause
// Call to a passive receiver and the ReplyRecv that answers it: message in registers, no
// capabilities, and the scheduling context moves along, so neither time nor queues are touched.
//
// Straight code on purpose: conditions first, joined where they can be, then all changes. This file
// is compiled without callee-saved registers, for entry has saved the program's.
#include <entry/fastpath.h>

#include <abi/fault.h>
#include <base/compiler.h>
#include <cpu/bases.h>
#include <kernel/endpoint.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched_context.h>
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

// No capabilities, and all words in registers.
static inline bool tag_is_short(uint64_t tag) { return (tag & TAG_REST) <= MESSAGE_REGISTERS; }

static inline void message_copy(
	struct context *to, const struct context *from, uint64_t badge, uint64_t tag) {
	uint64_t length = tag & TAG_REST;

	to->rdi = badge;
	to->rsi = tag;
	if (likely(length == 0)) return;
	to->r10 = from->r10;
	if (length == 1) return;
	to->r8 = from->r8;
	if (length == 2) return;
	to->r9 = from->r9;
	if (length == 3) return;
	to->r15 = from->r15;
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

void fastpath_call(uint64_t address, uint64_t tag) {
	struct cpu *cpu = this_cpu();
	struct thread *caller = cpu->current;
	uint64_t index = index_of(caller, address);
	struct sched_context *context = caller->sched_context;
	struct endpoint *endpoint;
	struct thread *receiver;
	struct reply *reply, *older;
	uint64_t head, badge;

	if (unlikely(index >= caller->window.count)) return syscall_slow();
	head = caller->window.slots[index].cap.head;
	badge = caller->window.slots[index].cap.badge;
	if (unlikely(!head_may_call(head) || !tag_is_short(tag))) return syscall_slow();
	endpoint = head_object(head);
	receiver = endpoint->head;
	if (unlikely(!receiver)) return syscall_slow();
	reply = receiver->reply;
	if (unlikely(receiver->state != THREAD_BLOCKED_RECEIVE || receiver->sched_context ||
		    !reply || receiver->priority < cpu->ready_top))
		return syscall_slow();

	thread_queue_take_first(&endpoint->head);
	receiver->reply = NULL;

	caller->state = THREAD_BLOCKED_REPLY;
	caller->reply = reply;
	reply->thread = caller;
	older = context->reply;
	reply->older = older;
	if (older) {
		older->newer = reply;
		older->head = NULL;
	}
	reply->head = context;
	context->reply = reply;

	message_copy(&receiver->context, &caller->context, badge, tag);
	switch_to(cpu, caller, receiver);
}

// A receiver would find the endpoint empty, or wait behind others that wait already.
static inline bool may_wait(const struct endpoint *endpoint, const struct thread *thread) {
	const struct thread *last;

	if (likely(!endpoint->head)) return true;
	last = endpoint->head->queue.previous;
	return last->state == THREAD_BLOCKED_RECEIVE && last->priority >= thread->priority;
}

void fastpath_reply_recv(uint64_t address, uint64_t tag) {
	struct cpu *cpu = this_cpu();
	struct thread *server = cpu->current;
	uint64_t source = index_of(server, address);
	uint64_t answer = index_of(server, server->context.r12);
	struct sched_context *context = server->sched_context;
	const struct notification *notification = server->notification;
	uint64_t endpoint_head, reply_head;
	struct endpoint *endpoint;
	struct thread *caller;
	struct reply *reply, *older;

	if (unlikely(source >= server->window.count || answer >= server->window.count ||
		    !tag_is_short(tag)))
		return syscall_slow();
	endpoint_head = server->window.slots[source].cap.head;
	reply_head = server->window.slots[answer].cap.head;
	if (unlikely(!head_is(endpoint_head, CAP_ENDPOINT, RIGHT_READ) ||
		    !head_is(reply_head, CAP_REPLY, 0)))
		return syscall_slow();
	endpoint = head_object(endpoint_head);
	reply = head_object(reply_head);
	caller = reply->thread;
	if (unlikely(!caller || reply->head != context || caller->state != THREAD_BLOCKED_REPLY ||
		    caller->fault_kind != FAULT_NONE || caller->sched_context ||
		    caller->priority < cpu->ready_top || !may_wait(endpoint, server) ||
		    (notification && notification->is_active)))
		return syscall_slow();

	older = reply->older;
	context->reply = older;
	if (unlikely(older)) {
		older->newer = NULL;
		older->head = context;
		reply->older = NULL;
	}
	reply->head = NULL;
	caller->reply = NULL;
	reply->thread = server;
	server->reply = reply;
	server->state = THREAD_BLOCKED_RECEIVE;
	server->waits_in = &endpoint->head;
	thread_queue_append(&endpoint->head, server);

	message_copy(&caller->context, &server->context, 0, tag);
	switch_to(cpu, server, caller);
}
