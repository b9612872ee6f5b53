// SPDX-License-Identifier: BSD-2-Clause
// Tests: system calls with and without their fast paths do the same, all the way from a program's
// registers and back. Two copies of a small system make the same random calls, one with fast paths
// and one without, and after each call everything that can be seen from outside is compared.
#include <stdbool.h>
#include "world.h"

enum {
	COPIES = 2,
	SERVERS = 2, // the first threads
	THREADS = 5,
	ENDPOINTS = 2,
	RADIX = 6,
	STEPS = 5000,
	LONG_SLICE = 10000000, // microseconds: no turn ends, however the machine runs
	FLAG_FPU = 1 << 0,
	FLAG_BASES = 1 << 1,
	REGISTER_RSP = 1, // of ReadRegisters: of each thread its own, like RBP
	REGISTER_RBP = 9,
};

// Slots of the capability space of a copy.
enum {
	SLOT_ENDPOINT = 1, // for each: all rights, a badge, no right to grant
	VARIANTS = 3,
	SLOT_REPLY = SLOT_ENDPOINT + ENDPOINTS * VARIANTS,
	SLOT_SIGNAL = SLOT_REPLY + THREADS,
	SLOT_PARK = SLOT_SIGNAL + 1,
	SLOT_END = SLOT_PARK + THREADS,
};

// What interpreter.asm loads before a call and stores after it.
struct registers {
	uint64_t rdx, rdi, rsi, r10, r8, r9, r15, r12, r13, rax, rbx, r14;
	uint64_t fpu;
	uint64_t bases;
};

struct part {
	struct registers in, out;
	volatile uint64_t count; // calls that returned
	uint64_t flags;
	uint64_t park; // the slot to wait at between two calls
	struct helper *helper;
	uint64_t signal; // the capability that wakes it
};

_Static_assert(offsetof(struct part, count) == 28 * 8);

extern const char interpreter_start[], interpreter_next[];

// Main thread only, but for the records, which belong to their threads while these run.
static struct part parts[COPIES][THREADS] __attribute__((aligned(64)));
static uint64_t signals[COPIES]; // the notification of each copy
static uint64_t begun[THREADS]; // calls
static uint64_t state; // of the random numbers

static uint64_t random_word(void) {
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static unsigned random_below(unsigned bound) {
	return (unsigned)((random_word() >> 32) * bound >> 32);
}

static bool percent(unsigned share) { return random_below(100) < share; }

static void fast_paths(bool are_on) {
	struct call_registers registers = {.rdi = are_on};

	system_call(SYSCALL_DEBUG_FAST_PATHS, &registers);
}

// Building

static void mint(uint64_t cnode, unsigned slot, uint64_t source, struct words rights_and_badge) {
	CHECK_OK(invoke(cnode, LABEL_CNODE_MINT, CAPS(ROOT_SLOT_CNODE),
		WORDS(slot, RADIX, source, DEPTH, rights_and_badge.items[0],
			rights_and_badge.items[1])));
}

static void endpoints_make(uint64_t cnode) {
	for (unsigned i = 0; i < ENDPOINTS; i++) {
		uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
		unsigned slot = SLOT_ENDPOINT + i * VARIANTS;

		mint(cnode, slot, endpoint, WORDS(RIGHTS_ALL, 0));
		mint(cnode, slot + 1, endpoint, WORDS(RIGHTS_ALL, 0x70 + i));
		mint(cnode, slot + 2, endpoint, WORDS(RIGHT_READ | RIGHT_WRITE, 5));
	}
}

static void part_make(struct part *part, unsigned number, uint64_t cnode, uint64_t space) {
	struct helper *helper = helper_make_with(PRIORITY_HELPER + number % 2,
		(struct sched_setting){.budget = LONG_SLICE, .period = LONG_SLICE});
	uint64_t park = object_new(OBJECT_NOTIFICATION, 0);

	*part = (struct part){.helper = helper, .signal = park, .park = SLOT_PARK + number};
	part->flags = (number < 3 ? FLAG_FPU : 0) | (test_has_fsgsbase() ? FLAG_BASES : 0);
	mint(cnode, SLOT_PARK + number, park, WORDS(RIGHTS_ALL, 0));
	mint(cnode, SLOT_REPLY + number, object_new(OBJECT_REPLY, 0), WORDS(RIGHTS_ALL, 0));
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SPACE, CAPS(NULL_CAP, cnode, space),
		WORDS(64 - RADIX, 0)));
	helper_start_at(helper, interpreter_start, (uint64_t)part);
}

// Every other thread lives in a space of its own, where the program is too.
static void system_make(void) {
	uint64_t space = space_new();

	image_map(space);
	for (unsigned copy = 0; copy < COPIES; copy++) {
		uint64_t cnode = object_new(OBJECT_CNODE, RADIX);

		endpoints_make(cnode);
		signals[copy] = object_new(OBJECT_NOTIFICATION, 0);
		mint(cnode, SLOT_SIGNAL, signals[copy], WORDS(RIGHTS_ALL, 6));
		for (unsigned i = 0; i < THREADS; i++)
			part_make(&parts[copy][i], i, cnode, i % 2 ? space : ROOT_SLOT_SPACE);
	}
	for (unsigned i = 0; i < THREADS; i++)
		begun[i] = 0;
	settle();
}

// Choosing

static uint64_t endpoint_any(unsigned variants) {
	return SLOT_ENDPOINT + random_below(ENDPOINTS) * VARIANTS + random_below(variants);
}

static void call_choose(struct registers *in) {
	in->rdx = (uint64_t)SYSCALL_CALL;
	in->rdi = endpoint_any(VARIANTS);
}

static void reply_recv_choose(struct registers *in) {
	in->rdx = (uint64_t)SYSCALL_REPLY_RECV;
	in->rdi = endpoint_any(1);
}

static void recv_choose(struct registers *in) {
	in->rdx = (uint64_t)(percent(80) ? SYSCALL_RECV : SYSCALL_NB_RECV);
	in->rdi = endpoint_any(VARIANTS);
}

static void send_choose(struct registers *in) {
	in->rdx = (uint64_t)(percent(70) ? SYSCALL_SEND : SYSCALL_NB_SEND);
	in->rdi = percent(50) ? (uint64_t)SLOT_SIGNAL : endpoint_any(VARIANTS);
}

static void wait_choose(struct registers *in) {
	in->rdx = (uint64_t)(percent(70) ? SYSCALL_WAIT : SYSCALL_NB_WAIT);
	in->rdi = SLOT_SIGNAL;
}

static void other_choose(struct registers *in) {
	static const int numbers[] = {
		SYSCALL_NB_SEND_RECV, SYSCALL_NB_SEND_WAIT, SYSCALL_YIELD, SYSCALL_NULL};

	in->rdx = (uint64_t)numbers[random_below(array_count(numbers))];
	in->rdi = percent(70) ? endpoint_any(VARIANTS) : random_below(SLOT_PARK);
	in->r13 = endpoint_any(VARIANTS);
}

// Of 100 calls of servers and of clients.
static const struct choice {
	void (*choose)(struct registers *in);
	unsigned of_servers, of_clients;
} choices[] = {
	{call_choose, 5, 55},
	{reply_recv_choose, 60, 5},
	{recv_choose, 20, 5},
	{send_choose, 5, 17},
	{wait_choose, 5, 10},
	{other_choose, 5, 8},
};

static void registers_choose(struct registers *in, unsigned number) {
	unsigned at = random_below(100);
	unsigned i = 0;

	for (unsigned word = 0; word < sizeof(*in) / sizeof(uint64_t); word++)
		((uint64_t *)in)[word] = random_word();
	in->bases = random_below(1 << 30);
	in->r12 = SLOT_REPLY + (percent(90) ? number : random_below(THREADS));
	in->rsi = tag_make(random_below(1000), 0, percent(4), random_below(percent(80) ? 5 : 12));
	while (at >= (number < SERVERS ? choices[i].of_servers : choices[i].of_clients)) {
		at -= number < SERVERS ? choices[i].of_servers : choices[i].of_clients;
		i++;
	}
	choices[i].choose(in);
}

// Acting: the same in each copy

static uint64_t part_call(struct part *part, const void *choice) {
	part->in = *(const struct registers *)choice;
	for (unsigned i = MESSAGE_REGISTERS; i < 12; i++)
		part->helper->buffer->message[i] = part->in.fpu + i;
	part->helper->buffer->caps_or_badges[0] = SLOT_ENDPOINT + part->in.r14 % VARIANTS;
	ipc_signal(part->signal);
	return 0;
}

// Ends whatever it waits for, and makes it call again, with a context of its own.
static uint64_t part_restart(struct part *part, const void *choice) {
	const struct helper *helper = part->helper;

	part->in = *(const struct registers *)choice;
	(void)invoke(helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS());
	(void)invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS());
	(void)invoke(helper->sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(helper->tcb), WORDS());
	return invoke(helper->tcb, LABEL_TCB_WRITE_REGISTERS, CAPS(),
		WORDS(1, 1, (uint64_t)interpreter_next))
		.label;
}

static uint64_t part_become_passive(struct part *part, const void *) {
	return invoke(part->helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT,
		CAPS(part->helper->tcb), WORDS())
		.label;
}

static uint64_t part_get_context(struct part *part, const void *) {
	return invoke(part->helper->sched_context, LABEL_SCHED_CONTEXT_BIND,
		CAPS(part->helper->tcb), WORDS())
		.label;
}

static uint64_t part_set_priority(struct part *part, const void *choice) {
	const struct registers *in = choice;

	return invoke(part->helper->tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB),
		WORDS(PRIORITY_HELPER + in->rax % 3))
		.label;
}

static uint64_t part_bind(struct part *part, const void *choice) {
	const struct registers *in = choice;
	uint64_t signal = signals[part - parts[0] >= THREADS];

	if (in->rax % 2)
		return invoke(part->helper->tcb, LABEL_TCB_UNBIND_NOTIFICATION, CAPS(), WORDS())
			.label;
	return invoke(part->helper->tcb, LABEL_TCB_BIND_NOTIFICATION, CAPS(signal), WORDS()).label;
}

typedef uint64_t action(struct part *part, const void *choice);

// What is to be done with a thread: it can call if it is back from its last call.
static action *action_choose(unsigned number) {
	const struct part *part = &parts[0][number];
	bool is_back = part->count == begun[number];

	if (percent(4)) return part_set_priority;
	if (percent(2)) return part_bind;
	if (is_back && percent(90)) return part_call;
	if (number < SERVERS && !is_back && percent(40)) return part_become_passive;
	return percent(85) ? part_restart : part_get_context;
}

// Mostly one that is back.
static unsigned thread_choose(void) {
	unsigned number = random_below(THREADS);

	for (unsigned i = 0; i < THREADS && percent(85); i++) {
		if (parts[0][number].count == begun[number]) return number;
		number = (number + 1) % THREADS;
	}
	return number;
}

// Comparing

static void registers_compare(unsigned number) {
	struct message with = helper_registers_read(parts[0][number].helper);
	struct message without = helper_registers_read(parts[1][number].helper);

	CHECK_EQUAL(with.label, without.label);
	for (unsigned i = 0; i < USER_CONTEXT_WORDS; i++)
		if (i != REGISTER_RSP && i != REGISTER_RBP)
			CHECK_EQUAL(with.words[i], without.words[i]);
}

static void part_compare(unsigned number) {
	const struct part *with = &parts[0][number];
	const struct part *without = &parts[1][number];
	const uint64_t *one = (const uint64_t *)&with->out;
	const uint64_t *other = (const uint64_t *)&without->out;

	CHECK_EQUAL(with->count, without->count);
	for (unsigned i = 0; i < sizeof(with->out) / sizeof(uint64_t); i++)
		CHECK_EQUAL(one[i], other[i]);
	one = (const uint64_t *)with->helper->buffer;
	other = (const uint64_t *)without->helper->buffer;
	for (unsigned i = 0; i < sizeof(struct ipc_buffer) / sizeof(uint64_t); i++)
		CHECK_EQUAL(one[i], other[i]);
	registers_compare(number);
}

static void step(void) {
	unsigned number = thread_choose();
	uint64_t before = parts[0][number].count;
	action *act = action_choose(number);
	struct registers choice;
	uint64_t results[COPIES];

	registers_choose(&choice, number);
	for (unsigned copy = 0; copy < COPIES; copy++) {
		fast_paths(copy == 0);
		results[copy] = act(&parts[copy][number], &choice);
		settle();
	}
	if (act == part_call || act == part_restart) begun[number] = before + 1;
	CHECK_EQUAL(results[0], results[1]);
	for (unsigned i = 0; i < THREADS; i++)
		part_compare(i);
}

// Most calls come back: else the system only waits, and there is nothing to compare.
static void play(uint64_t seed) {
	uint64_t back = 0;

	state = seed;
	system_make();
	for (unsigned i = 0; i < STEPS; i++)
		step();
	fast_paths(true);
	for (unsigned i = 0; i < THREADS; i++)
		back += parts[0][i].count;
	CHECK_BETWEEN(back, STEPS / 3, 2 * STEPS);
}

static void play_first(void) { play(0x1234567); }
static void play_second(void) { play(0x89abcdef); }
static void play_third(void) { play(0x31415926); }
static void play_fourth(void) { play(0x27182818); }

static const struct test tests[] = {
	{"equivalence-1", "fast paths change nothing that a program can see: 5000 random steps",
		play_first, NULL},
	{"equivalence-2", "the same with other random numbers", play_second, NULL},
	{"equivalence-3", "and with others again", play_third, NULL},
	{"equivalence-4", "and others: 20000 steps in all", play_fourth, NULL},
};

TEST_FILE_TIMED(equivalence);
