// SPDX-License-Identifier: BSD-2-Clause
// System calls: a send phase, a receive phase, or both.
#include <syscall/syscall.h>

#include <cpu/console.h>
#include <ipc/answer.h>
#include <ipc/endpoint.h>
#include <ipc/fault.h>
#include <ipc/message.h>
#include <ipc/notification.h>
#include <sched/switch.h>
#include <syscall/dispatch.h>

// How the send phase of a system call behaves.
enum send_kind {
	KIND_CALL, // blocks, waits for an answer, errors are reported
	KIND_SEND, // blocks, errors are dropped
	KIND_NB_SEND, // does not block
	KIND_FIRST, // first phase of a combined call: does not block, donates, failures are dropped
};

static const uint8_t send_flags[] = {[KIND_CALL] = MESSAGE_CALL | MESSAGE_DONATE,
	[KIND_NB_SEND] = MESSAGE_NONBLOCKING,
	[KIND_FIRST] = MESSAGE_NONBLOCKING | MESSAGE_DONATE};

// The answer to a Call: error or success, with its words. To others there is none.
static inline void answer(struct thread *caller, enum send_kind kind, enum error error,
	const uint64_t *words, unsigned length) {
	if (kind != KIND_CALL) return;
	if (unlikely(length > 0)) length = message_write(caller, words, length);
	*context_badge(&caller->context) = 0;
	*context_tag(&caller->context) = tag_make(error, 0, 0, length);
}

// Looks a capability of the send phase up; a failure is a fault if the call may block.
static struct slot *send_lookup(struct thread *thread, uint64_t address, enum send_kind kind) {
	struct slot *slot = thread_find(thread, address);

	if (unlikely(!slot) && !(send_flags[kind] & MESSAGE_NONBLOCKING))
		fault_capability(thread, address, NULL, false);
	return slot;
}

// Fills in an invocation whose extra capabilities are known, and carries it out. A constant kind
// makes it short.
[[gnu::always_inline]] static inline void invoke(struct invocation *invocation,
	struct thread *caller, struct slot *slot, unsigned cap_count, enum send_kind kind) {
	const struct object_ops *ops = &object_ops[slot->cap.type]; // the capability may go
	uint64_t tag = *context_tag(&caller->context);
	enum error error;

	if (kind == KIND_FIRST && ops->refuses_first_phase) return;
	caller->message_flags = kind == KIND_CALL ? MESSAGE_CALL : 0;
	invocation->caller = caller;
	invocation->slot = slot;
	invocation->cap_count = cap_count;
	invocation->buffer = caller->buffer_to_read;
	invocation->registers = caller->context.words;
	invocation->label = tag_label(tag);
	invocation->length = tag_length(tag);
	invocation->result_length = 0;
	if (unlikely(!invocation->buffer) && invocation->length > MESSAGE_REGISTERS)
		invocation->length = MESSAGE_REGISTERS;
	error = invocation_dispatch(invocation);
	if (unlikely(error >= ERROR_PREEMPTED)) {
		if (error == ERROR_PREEMPTED && caller->state == THREAD_RUNNING)
			caller->state = THREAD_RESTART;
		return;
	}
	if (error != ERROR_NONE)
		print_debug("'%s': error %d of %s, label %lu\n", caller->name, error, ops->name,
			invocation->label);
	answer(caller, kind, error, invocation->results, invocation->result_length);
}

static bool takes_messages(const struct cap *cap) {
	_Static_assert(CAP_REPLY - CAP_ENDPOINT == 2 && CAP_NOTIFICATION - CAP_ENDPOINT == 1);
	return cap->type >= CAP_ENDPOINT && cap->type <= CAP_REPLY;
}

static void send_message(struct thread *thread, struct slot *slot, enum send_kind kind) {
	const struct cap *cap = &slot->cap;

	if (cap->type != CAP_REPLY && !(cap->rights & RIGHT_WRITE))
		return answer(thread, kind, ERROR_INVALID_CAPABILITY, &(uint64_t){0}, 1);
	if (cap->type == CAP_ENDPOINT) return endpoint_send(cap, thread, send_flags[kind]);
	if (cap->type == CAP_REPLY)
		reply_send(cap_object(cap), thread, cap->rights & RIGHT_GRANT ? MESSAGE_GRANT : 0);
	else
		notification_signal(cap_object(cap), cap->badge);
	answer(thread, kind, ERROR_NONE, NULL, 0);
}

// Extra capabilities one by one, where one of them is not as simple as find_caps() assumes. False:
// one was missing.
[[gnu::noinline]] static bool find_caps_anywhere(
	struct thread *thread, struct slot **caps, unsigned count, enum send_kind kind) {
	for (unsigned i = 0; i < count; i++) {
		uint64_t address = READ_ONCE(thread->buffer_to_read->caps_or_badges[i]);

		caps[i] = send_lookup(thread, address, kind);
		if (!caps[i]) return false;
	}
	return true;
}

static inline bool find_caps(
	struct thread *thread, struct slot **caps, unsigned count, enum send_kind kind) {
	for (unsigned i = 0; i < count; i++) {
		uint64_t address = thread->buffer_to_read->caps_or_badges[i];

		if (!thread_find_fast(thread, address, &caps[i]))
			return find_caps_anywhere(thread, caps, count, kind);
	}
	return true;
}

// Acts on the capability in slot with the message in the frame. Extra capabilities are looked up
// whatever the destination. Call has its own path, chosen at compile time by a constant kind.
[[gnu::always_inline]] static inline void send_to(
	struct thread *thread, struct slot *slot, enum send_kind kind) {
	unsigned count = tag_caps(*context_tag(&thread->context));
	struct invocation invocation;

	if (count && unlikely(!thread->buffer_to_read)) count = 0;
	if (!find_caps(thread, invocation.caps, count, kind)) return;
	if (takes_messages(&slot->cap))
		send_message(thread, slot, kind);
	else
		invoke(&invocation, thread, slot, count, kind);
}

void syscall_call(struct thread *thread, struct slot *slot) { send_to(thread, slot, KIND_CALL); }

// The send phase of any kind.
[[gnu::noinline]] static void send_phase(
	struct thread *thread, uint64_t address, enum send_kind kind) {
	struct slot *slot = send_lookup(thread, address, kind);

	if (slot) send_to(thread, slot, kind);
}

static bool can_receive(const struct thread *thread, const struct cap *cap) {
	const struct notification *notification = cap_object(cap);

	if (!cap_has_badge(cap) || !(cap->rights & RIGHT_READ)) return false;
	return cap->type == CAP_ENDPOINT || !notification->bound || notification->bound == thread;
}

// Recv names a reply object for the callers at an endpoint, Wait does without.
enum receive_kind { KIND_RECV, KIND_WAIT };

[[gnu::noinline]] static void receive(
	struct thread *thread, enum receive_kind kind, enum send_block block) {
	const struct context *context = &thread->context;
	const struct slot *source = thread_find(thread, context->rdi), *answer;
	struct reply *reply = NULL;

	if (unlikely(!source || !can_receive(thread, &source->cap)))
		return fault_capability(thread, context->rdi, source, true);
	if (source->cap.type == CAP_NOTIFICATION)
		return notification_wait(cap_object(&source->cap), thread, block);
	if (kind == KIND_RECV) {
		answer = thread_find(thread, context->r12);
		if (unlikely(!answer || answer->cap.type != CAP_REPLY))
			return fault_capability(thread, context->r12, answer, true);
		reply = cap_object(&answer->cap);
	}
	endpoint_receive(cap_object(&source->cap), thread, reply, block);
}

// A receiver finds a signal, or waits.
[[gnu::noinline]] bool syscall_is_own(const struct cpu *cpu) {
	struct thread *thread = cpu->current;
	int64_t number = (int64_t)thread->context.rdx;
	const struct notification *bound = thread->notification;
	const struct slot *source, *answer;

	if (number == SYSCALL_YIELD) return true;
	source = thread_find(thread, thread->context.rdi);
	if (!source || !can_receive(thread, &source->cap)) return false;
	if (source->cap.type == CAP_NOTIFICATION)
		return notification_is_own(cap_object(&source->cap), cpu);
	if (!endpoint_may_wait(cap_object(&source->cap), cpu) ||
		(bound && !notification_is_own(bound, cpu)))
		return false;
	if (number != SYSCALL_RECV) return number == SYSCALL_WAIT;
	if (cpu->now >= cpu->next_event) return false; // it may end before it receives
	answer = thread_find(thread, thread->context.r12);
	return answer && answer->cap.type == CAP_REPLY &&
		reply_take(cap_object(&answer->cap), thread);
}

// A combined system call: send, then receive. If the first phase was preempted or ended the thread
// there is nothing to receive.
[[gnu::noinline]] static void send_and(
	struct thread *thread, uint64_t target, enum receive_kind kind) {
	send_phase(thread, target, KIND_FIRST);
	if (thread->state == THREAD_RUNNING) receive(thread, kind, SEND_BLOCKING);
}

// False: the build has no call of that number.
static bool call_of_build(build_syscall *const *calls, struct thread *thread, uint64_t index) {
	if (index >= BUILD_SYSCALLS || !calls[index]) return false;
	calls[index](thread);
	return true;
}

[[gnu::noinline]] static void handle_rare(struct thread *thread, uint64_t number) {
	bool enters = number == (uint64_t)SYSCALL_VM_ENTER || number == (uint64_t)SYSCALL_VCPU_RUN;

	if (enters && thread->vcpu && vcpu_enter(thread, number)) return;
	if (number != (uint64_t)SYSCALL_NULL &&
		!(NACRE_DEBUG && call_of_build(debug_syscalls, thread, -number)) &&
		!(NACRE_BENCHMARK && call_of_build(benchmark_syscalls, thread, -number)) &&
		budget_is_left())
		fault_unknown_syscall(thread, number);
}

void syscall_handle(void) {
	struct thread *thread = this_cpu()->current;
	const struct context *context = &thread->context;
	uint64_t number = context->rdx;

	if (unlikely(number < (uint64_t)SYSCALL_YIELD)) return handle_rare(thread, number);
	if (unlikely(!budget_is_left())) return;
	switch ((int64_t)number) {
	case SYSCALL_CALL: return send_phase(thread, context->rdi, KIND_CALL);
	case SYSCALL_REPLY_RECV: return send_and(thread, context->r12, KIND_RECV);
	case SYSCALL_NB_SEND_RECV: return send_and(thread, context->r13, KIND_RECV);
	case SYSCALL_NB_SEND_WAIT: return send_and(thread, context->r12, KIND_WAIT);
	case SYSCALL_SEND: return send_phase(thread, context->rdi, KIND_SEND);
	case SYSCALL_NB_SEND: return send_phase(thread, context->rdi, KIND_NB_SEND);
	case SYSCALL_RECV: return receive(thread, KIND_RECV, SEND_BLOCKING);
	case SYSCALL_NB_RECV: return receive(thread, KIND_RECV, SEND_NONBLOCKING);
	case SYSCALL_WAIT: return receive(thread, KIND_WAIT, SEND_BLOCKING);
	case SYSCALL_NB_WAIT: return receive(thread, KIND_WAIT, SEND_NONBLOCKING);
	case SYSCALL_YIELD: return schedule_yield();
	default: __builtin_unreachable();
	}
}
