// SPDX-License-Identifier: BSD-2-Clause
// Which system call the current thread makes: mostly what a client or server would do.
#include "run.h"

#include "signature.h"
#include <base/compiler.h>
#include <cpu/percpu.h>

// What a call is made of before it stands in registers.
struct choice {
	struct run *run;
	struct thread *thread;
	unsigned number; // of the thread
	struct context *context;
};

typedef void choose(struct choice *choice);

static unsigned below(struct choice *choice, unsigned bound) {
	return chance_below(&choice->run->chance, bound);
}

static bool percent(struct choice *choice, unsigned percent) {
	return chance_percent(&choice->run->chance, percent);
}

// The slot preferred, another of that type, or nonsense.
static uint64_t address_near(struct choice *choice, enum cap_type type, unsigned preferred) {
	const struct world *world = &choice->run->world;
	unsigned slot = preferred;

	if (percent(choice, 2)) return chance_word(&choice->run->chance) >> below(choice, 64);
	if (percent(choice, 2))
		slot = below(choice, CSPACE_SLOTS);
	else if (percent(choice, 8) || world->slots[slot].cap.type != type)
		slot = world_slot_of(world, &choice->run->chance, type);
	return world_address(world, choice->thread, slot);
}

// The thread that waits first at an endpoint or notification slot, in this state; or null.
static const struct thread *first_at(
	struct choice *choice, unsigned slot, enum thread_state state) {
	const struct cap *cap = &choice->run->world.slots[slot].cap;
	const struct thread *first = NULL;

	if (cap->type == CAP_ENDPOINT) first = ((const struct endpoint *)cap_object(cap))->head;
	if (cap->type == CAP_NOTIFICATION)
		first = ((const struct notification *)cap_object(cap))->head;
	// Where other cores run, the object may have gone meanwhile.
	return world_object_at(&choice->run->world, first) && first->state == state ? first : NULL;
}

static unsigned endpoint_of(unsigned number, unsigned variant) {
	return SLOT_ENDPOINT + number * ENDPOINT_VARIANTS + variant;
}

// Mostly where a receiver waits.
static uint64_t endpoint_to_send(struct choice *choice) {
	static const uint8_t weights[ENDPOINT_VARIANTS] = {20, 45, 25, 2, 6, 2};
	unsigned variant = chance_weighted(&choice->run->chance, weights, ENDPOINT_VARIANTS);
	unsigned number = below(choice, ENDPOINTS);
	bool is_wise = percent(choice, 80);

	for (unsigned i = 0; i < ENDPOINTS && is_wise; i++) {
		number = (number + 1) % ENDPOINTS;
		if (first_at(choice, endpoint_of(number, 0), THREAD_BLOCKED_RECEIVE)) break;
	}
	return address_near(choice, CAP_ENDPOINT, endpoint_of(number, variant));
}

static uint64_t endpoint_to_receive(struct choice *choice) {
	static const uint8_t weights[ENDPOINT_VARIANTS] = {45, 5, 1, 46, 1, 2};
	unsigned variant = chance_weighted(&choice->run->chance, weights, ENDPOINT_VARIANTS);
	unsigned number = percent(choice, 70) ? choice->number % ENDPOINTS
					      : below(choice, ENDPOINTS);

	return address_near(choice, CAP_ENDPOINT, endpoint_of(number, variant));
}

static uint64_t notification_any(struct choice *choice) {
	unsigned slot = SLOT_NOTIFICATION + below(choice, NOTIFICATIONS * NOTIFICATION_VARIANTS);

	return address_near(choice, CAP_NOTIFICATION, slot);
}

// The first slot of a notification that is like this; SLOT_REPLY, behind all, if there is none.
static unsigned notification_find(
	struct choice *choice, bool (*is_like)(const struct notification *notification)) {
	unsigned start = below(choice, NOTIFICATIONS);

	for (unsigned i = 0; i < NOTIFICATIONS; i++) {
		unsigned slot = SLOT_NOTIFICATION +
			(start + i) % NOTIFICATIONS * NOTIFICATION_VARIANTS;
		const struct cap *cap = &choice->run->world.slots[slot].cap;

		if (cap->type == CAP_NOTIFICATION && is_like(cap_object(cap))) return slot;
	}
	return SLOT_REPLY;
}

static bool has_waiter(const struct notification *notification) { return notification->head; }

static bool has_no_signal(const struct notification *notification) {
	return !notification->is_active;
}

// With one of the rights that its capabilities have.
static uint64_t notification_address(struct choice *choice, unsigned slot) {
	if (slot == SLOT_REPLY || percent(choice, 4)) return notification_any(choice);
	return address_near(choice, CAP_NOTIFICATION, slot + below(choice, NOTIFICATION_VARIANTS));
}

static uint64_t reply_own(struct choice *choice) {
	return address_near(choice, CAP_REPLY, SLOT_REPLY + choice->number % REPLIES);
}

static uint64_t target_any(struct choice *choice) {
	return percent(choice, 50) ? endpoint_to_send(choice) : notification_any(choice);
}

static void number_set(struct choice *choice, enum syscall_number number) {
	choice->context->rdx = (uint64_t)number;
}

static void choose_call(struct choice *choice) {
	number_set(choice, SYSCALL_CALL);
	choice->context->rdi = endpoint_to_send(choice);
}

static void choose_reply_recv(struct choice *choice) {
	number_set(choice, SYSCALL_REPLY_RECV);
	choice->context->rdi = percent(choice, 95) ? endpoint_to_receive(choice)
						   : notification_any(choice);
	choice->context->r12 = reply_own(choice);
}

static void choose_recv(struct choice *choice) {
	number_set(choice, percent(choice, 80) ? SYSCALL_RECV : SYSCALL_NB_RECV);
	choice->context->rdi = endpoint_to_receive(choice);
	choice->context->r12 = reply_own(choice);
}

static void choose_send(struct choice *choice) {
	number_set(choice, percent(choice, 60) ? SYSCALL_SEND : SYSCALL_NB_SEND);
	choice->context->rdi = percent(choice, 20) ? reply_own(choice) : endpoint_to_send(choice);
}

static void choose_wait(struct choice *choice) {
	number_set(choice, percent(choice, 80) ? SYSCALL_WAIT : SYSCALL_NB_WAIT);
	choice->context->rdi = percent(choice, 90)
		? notification_address(choice, notification_find(choice, has_no_signal))
		: endpoint_to_receive(choice);
}

// Mostly where a thread waits; if none does, the caller waits itself.
static void choose_signal(struct choice *choice) {
	unsigned slot = notification_find(choice, has_waiter);

	if (slot == SLOT_REPLY && percent(choice, 90)) return choose_wait(choice);
	number_set(choice, percent(choice, 90) ? SYSCALL_SEND : SYSCALL_NB_SEND);
	choice->context->rdi = notification_address(choice, slot);
}

static void choose_send_recv(struct choice *choice) {
	bool has_reply = percent(choice, 70);

	number_set(choice, has_reply ? SYSCALL_NB_SEND_RECV : SYSCALL_NB_SEND_WAIT);
	choice->context->rdi = has_reply ? endpoint_to_receive(choice) : notification_any(choice);
	choice->context->r12 = has_reply ? reply_own(choice) : target_any(choice);
	choice->context->r13 = target_any(choice);
}

static void choose_yield(struct choice *choice) { number_set(choice, SYSCALL_YIELD); }

static void choose_invocation(struct choice *choice) {
	const struct world *world = &choice->run->world;
	struct ipc_buffer *buffer = choice->thread->buffer_to_write;
	struct context *context = choice->context;
	struct invocation_choice invocation;

	invocation_choose(world, &choice->run->chance, &invocation);
	number_set(choice, percent(choice, 80) ? SYSCALL_CALL : SYSCALL_SEND);
	context->rdi = world_address(world, choice->thread, invocation.slot);
	context->rsi = tag_make(invocation.label, 0, invocation.cap_count, invocation.length);
	context->r10 = invocation.words[0];
	context->r8 = invocation.words[1];
	context->r9 = invocation.words[2];
	context->r15 = invocation.words[3];
	if (!buffer) return;
	for (unsigned i = MESSAGE_REGISTERS; i < INVOCATION_WORDS; i++)
		buffer->message[i] = invocation.words[i];
	for (unsigned i = 0; i < invocation.cap_count; i++)
		buffer->caps_or_badges[i] = world_address(
			world, choice->thread, invocation.caps[i]);
}

static void choose_anything(struct choice *choice) {
	struct chance *chance = &choice->run->chance;

	number_set(choice, -(int)below(choice, 14));
	if (percent(choice, 10)) choice->context->rdx = chance_word(chance);
	// Not these: they print, or halt.
	if ((int64_t)choice->context->rdx <= SYSCALL_DEBUG_PUT_CHAR &&
		(int64_t)choice->context->rdx >= SYSCALL_DEBUG_NAME_THREAD)
		number_set(choice, SYSCALL_CALL);
	choice->context->rdi = below(choice, CSPACE_SLOTS + 2);
	choice->context->r12 = below(choice, CSPACE_SLOTS + 2);
	choice->context->r13 = below(choice, CSPACE_SLOTS + 2);
}

// How often a thread does what: one that owes a reply, and any other.
static const struct choice_row {
	choose *choose;
	uint8_t owing, otherwise;
} rows[] = {
	{choose_call, 14, 42},
	{choose_reply_recv, 62, 14},
	{choose_recv, 2, 8},
	{choose_send, 4, 4},
	{choose_signal, 26, 30},
	{choose_wait, 1, 3},
	{choose_send_recv, 3, 4},
	{choose_yield, 1, 2},
	{choose_invocation, 1, 2},
	{choose_anything, 1, 1},
};

static uint64_t tag_choose(struct choice *choice) {
	uint64_t label = percent(choice, 90) ? below(choice, 8) : chance_word(&choice->run->chance);
	unsigned length = below(choice, percent(choice, 80) ? MESSAGE_REGISTERS + 1 : 11);
	unsigned caps = percent(choice, 5) ? 1 + below(choice, 2) : 0;
	unsigned unwrapped = percent(choice, 3) ? below(choice, 8) : 0;

	return tag_make(label, unwrapped, caps, length);
}

// What a program may have written since its last system call.
static void registers_choose(struct choice *choice) {
	struct context *context = choice->context;
	struct chance *chance = &choice->run->chance;
	struct ipc_buffer *buffer = choice->thread->buffer_to_write;

	context->r10 = chance_word(chance);
	context->r8 = chance_word(chance);
	context->r9 = chance_word(chance);
	context->r15 = chance_word(chance);
	context->rsi = tag_choose(choice);
	// The frame of a system call: only what SYSCALL leaves.
	context->rflags = CONTEXT_RFLAGS | (percent(choice, 50) ? 1 : 0);
	context->rip = 0x400000 + below(choice, 1 << 16);
	if (!buffer) return;
	buffer->message[MESSAGE_REGISTERS + below(choice, 6)] = chance_word(chance);
	if (!tag_caps(context->rsi)) return;
	buffer->caps_or_badges[below(choice, MESSAGE_MAX_CAPS)] = below(choice, CSPACE_SLOTS);
	buffer->receive_cnode = SLOT_CNODE;
	buffer->receive_index = world_slot_free(&choice->run->world, chance);
	buffer->receive_depth = 64;
}

static bool owes_reply(const struct choice *choice) {
	const struct thread *caller = choice->run->world.replies[choice->number % REPLIES]->thread;

	return caller && caller->state == THREAD_BLOCKED_REPLY;
}

void call_choose(struct run *run) {
	struct thread *thread = this_cpu()->current;
	struct choice choice = {run, thread, world_number(&run->world, thread), &thread->context};
	uint8_t weights[array_count(rows)];
	bool owes = owes_reply(&choice);

	registers_choose(&choice);
	for (unsigned i = 0; i < array_count(rows); i++)
		weights[i] = owes ? rows[i].owing : rows[i].otherwise;
	rows[chance_weighted(&run->chance, weights, array_count(rows))].choose(&choice);
}
