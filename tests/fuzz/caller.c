// SPDX-License-Identifier: BSD-2-Clause
// Random steps: mostly calls that make sense, some of them corrupted, and now and then something
// else that enters the kernel.
#include "caller.h"

#include <abi/invocation.h>
#include <abi/syscall.h>
#include <base/compiler.h>

#include "guest.h"
#include "random.h"
#include "script.h"
#include "signature.h"
#include "pool.h"

enum { WORDS_MAX = MESSAGE_REGISTERS + STEP_WORDS };

static unsigned space; // whose capabilities the script names; written by script_make

static uint64_t pick_slot(char kind) {
	unsigned luck = random_below(100);

	if (kind == '?') kind = luck & 1 ? POOL_TCB : POOL_NOTIFICATION;
	if (kind == '*') kind = luck & 1 ? POOL_SPACE : POOL_GUEST_SPACE;
	if (luck < 84) return pool_pick(kind, space);
	if (luck < 98) return random_below(POOL_SLOTS);
	return random_edge();
}

static uint64_t random_address(void) {
	static const uint64_t bases[] = {
		0x10000000, ARENA, 0x7f8000000000, 0xffff800000000000, 0xfffffffffffff000};

	unsigned luck = random_below(20);

	// Above the arena, tables of two levels exist.
	if (luck < 10)
		return ARENA + ((uint64_t)(1 + random_below(3)) << LARGE_PAGE_BITS) +
			((uint64_t)random_below(3) << PAGE_BITS);
	if (luck < 18)
		return 0x10000000ul + ((uint64_t)random_below(4) << (12 + 9 * random_below(4))) +
			(random_once_in(6) ? random_below(4096) : 0);
	if (random_below(2)) return bases[random_below(array_count(bases))];
	return random_edge();
}

static uint64_t random_badge(void) {
	unsigned luck = random_below(10);

	if (luck < 5) return random_below(6);
	if (luck < 8) return (uint64_t)random_below(4) << 6 | random_below(64);
	if (luck == 8) return 64 - POOL_RADIX;
	return random_edge();
}

static uint64_t random_time(void) {
	static const uint64_t times[] = {
		0, 10, 19, 20, 21, 40, 100, 1000, 10000, 1000000, 1ul << 40};

	return random_below(4) ? 20 + random_below(400) : times[random_below(array_count(times))];
}

static uint64_t random_depth(void) {
	static const uint8_t depths[] = {3, 0, 1, 65, 11};
	unsigned luck = random_below(100);

	if (luck < 60) return 64;
	if (luck < 90) return POOL_RADIX;
	return depths[random_below(array_count(depths))];
}

static uint64_t random_node_depth(void) { return random_below(5) ? 0 : random_depth(); }

static uint64_t random_size(void) {
	static const uint8_t sizes[] = {1, 2, 3, 5, 12, 13, 21, 16, 0, 47, 63, 64};

	if (random_below(3)) return 4 + random_below(6);
	return sizes[random_below(array_count(sizes))];
}

static uint64_t random_field(void) {
	static const uint32_t groups[] = {0x16000, 0x0, 0x800, 0x2000, 0x2800, 0x4000, 0x4400,
		0x4800, 0x6000, 0x6400, 0x6800, 0x6c00};

	return groups[random_below(array_count(groups))] + random_below(0x30);
}

static uint64_t random_buffer(void) {
	if (random_below(4)) return (uint64_t)&script_of(random_below(SCRIPTS))->buffer;
	return random_address();
}

struct word_row {
	char letter;
	unsigned below; // a number below this, if make is null
	uint64_t (*make)(void);
};

// Most objects of the pool are in the other half.
static uint64_t random_free(void) {
	return random_below(8) ? POOL_SLOTS / 2 + random_below(POOL_SLOTS / 2)
			       : random_below(POOL_SLOTS);
}

static uint64_t random_filled(void) {
	return random_below(8) ? random_below(POOL_SLOTS / 2) : random_below(POOL_SLOTS);
}

static uint64_t random_endpoint(void) { return pool_pick(POOL_ENDPOINT, space); }

static const struct word_row word_rows[] = {
	{'t', OBJECT_TYPE_COUNT + 1, NULL},
	{'s', 0, random_size},
	{'i', 0, random_free},
	{'x', 0, random_filled},
	{'e', 0, random_endpoint},
	{'d', 0, random_depth},
	{'D', 0, random_node_depth},
	{'n', 6, NULL},
	{'o', 0, random_free},
	{'r', 16, NULL},
	{'b', 0, random_badge},
	{'p', 102, NULL},
	{'u', 0, random_time},
	{'f', 4, NULL},
	{'a', 0, random_address},
	{'q', 0, random_buffer},
	{'v', 0, random_field},
	{'w', 0, random_edge},
};

static uint64_t random_port(void) { return 0x80 + random_below(16); }

static uint64_t word_random(char letter) {
	if (random_once_in(25)) return random_edge();
	if (letter == 'z') return random_port();
	for (unsigned i = 0; i < array_count(word_rows); i++) {
		const struct word_row *row = &word_rows[i];

		if (row->letter == letter)
			return row->make ? row->make() : random_below(row->below);
	}
	return 0;
}

static void word_set(struct step *step, unsigned n, uint64_t value) {
	static const uint8_t registers[] = {STEP_R10, STEP_R8, STEP_R9, STEP_R15};

	if (n < MESSAGE_REGISTERS)
		step->registers[registers[n]] = value;
	else
		step->words[n - MESSAGE_REGISTERS] = value;
}

// Fewest words the kernel accepts, which may be more than a step can choose.
static unsigned label_words(unsigned label) {
	static const uint8_t words[] = {
#define LABEL_WORDS(number, name, handler, kind, words_, caps) [number] = words_,
		ABI_INVOCATIONS(LABEL_WORDS)
#undef LABEL_WORDS
	};

	return label < array_count(words) ? words[label] : 0;
}

// An invocation: rdi names the object, or the register of a combined call does.
static void invocation_make(struct step *step, enum step_register object) {
	const struct signature *signature = &signatures[random_below(signature_count)];
	unsigned words = 0;
	unsigned caps = 0;
	unsigned minimum = label_words(signature->label);

	step->registers[object] = pick_slot(signature->object);
	for (; signature->words[words]; words++)
		word_set(step, words, word_random(signature->words[words]));
	for (; signature->caps[caps]; caps++)
		step->caps[caps] = pick_slot(signature->caps[caps]);
	if (words < minimum) words = minimum;
	if (random_once_in(20)) words = random_below(128);
	if (random_once_in(20)) caps = random_below(4);
	step->registers[STEP_RSI] = tag_make(signature->label, random_below(2), caps, words);
}

static void message_make(struct step *step, enum step_register target) {
	unsigned length = random_below(4) ? random_below(6) : random_below(128);

	step->registers[target] = pick_slot("EENNR"[random_below(5)]);
	for (unsigned n = 0; n < WORDS_MAX; n++)
		word_set(step, n, random_edge());
	for (unsigned n = 0; n < MESSAGE_MAX_CAPS; n++)
		step->caps[n] = pick_slot("ENRYUFTC"[random_below(8)]);
	step->registers[STEP_RSI] = tag_make(
		random_below(8), random_below(8), random_below(4), length);
}

static void receive_make(struct step *step) {
	step->registers[STEP_RDI] = pick_slot(random_below(3) ? POOL_ENDPOINT : POOL_NOTIFICATION);
	step->registers[STEP_R12] = pick_slot(POOL_REPLY);
}

struct call_row {
	int8_t number;
	int8_t target; // register that names what is sent to; -1: the call does not send
	bool receives;
};

static const struct call_row call_rows[] = {
	{SYSCALL_CALL, STEP_RDI, false},
	{SYSCALL_CALL, STEP_RDI, false},
	{SYSCALL_SEND, STEP_RDI, false},
	{SYSCALL_NB_SEND, STEP_RDI, false},
	{SYSCALL_REPLY_RECV, STEP_R12, true},
	{SYSCALL_REPLY_RECV, STEP_R12, true},
	{SYSCALL_NB_SEND_RECV, STEP_R13, true},
	{SYSCALL_NB_SEND_WAIT, STEP_R12, true},
	{SYSCALL_RECV, -1, true},
	{SYSCALL_RECV, -1, true},
	{SYSCALL_NB_RECV, -1, true},
	{SYSCALL_NB_RECV, -1, true},
	{SYSCALL_WAIT, -1, true},
	{SYSCALL_NB_WAIT, -1, true},
	{SYSCALL_YIELD, -1, false},
	{SYSCALL_VM_ENTER, -1, false},
};

static void ipc_make(struct step *step) {
	const struct call_row *row = &call_rows[random_below(array_count(call_rows))];

	step->registers[STEP_RDX] = (uint64_t)(int64_t)row->number;
	if (row->receives) receive_make(step);
	if (row->target < 0) return;
	if (row->number != SYSCALL_CALL && random_once_in(6))
		invocation_make(step, (enum step_register)row->target);
	else
		message_make(step, (enum step_register)row->target);
	// ReplyRecv replies through the object that it receives with.
	if (row->number == SYSCALL_REPLY_RECV) step->registers[STEP_R12] = pick_slot(POOL_REPLY);
}

// Clients and servers make call chains, which chance alone hardly ever does.
enum role {
	ROLE_ANY,
	ROLE_CLIENT,
	ROLE_SERVER,
};

static enum role role; // of the script; written by script_make
static bool enters_guest; // likewise

// A server's script alternates between the two, and begins with a receive.
static void role_make(struct step *step, unsigned n) {
	bool calls = role == ROLE_CLIENT || n % 2 == 1;

	message_make(step, STEP_RDI);
	step->registers[STEP_RDX] = (uint64_t)(int64_t)(calls ? SYSCALL_CALL
			: random_below(3)                     ? SYSCALL_RECV
							      : SYSCALL_REPLY_RECV);
	step->registers[STEP_RDI] = pick_slot(POOL_ENDPOINT);
	step->registers[STEP_R12] = pick_slot(POOL_REPLY);
}

// Instruction pointer, controls and event to inject: mostly none of the latter two.
static void guest_enter_make(struct step *step) {
	step->registers[STEP_RDX] = (uint64_t)(int64_t)SYSCALL_VM_ENTER;
	step->registers[STEP_R10] = random_below(4) ? random_below(0x12000) : random_edge();
	if (random_once_in(4)) step->registers[STEP_R8] = random_edge();
	if (random_once_in(4)) step->registers[STEP_R9] = random_edge();
}

static void call_make(struct step *step, unsigned n) {
	if (enters_guest && random_once_in(6)) {
		guest_enter_make(step);
	} else if (role != ROLE_ANY && random_below(4)) {
		role_make(step, n);
	} else if (random_below(100) < 70) {
		step->registers[STEP_RDX] = (uint64_t)SYSCALL_CALL;
		invocation_make(step, STEP_RDI);
	} else {
		ipc_make(step);
	}
}

static void debug_make(struct step *step) {
	step->registers[STEP_RDX] = (uint64_t)(random_below(2) ? SYSCALL_DEBUG_CAP_IDENTIFY
							       : SYSCALL_DEBUG_NAME_THREAD);
	step->registers[STEP_RDI] = pick_slot(POOL_TCB);
}

static void other_make(struct step *step) {
	unsigned action = ACTION_FIRST_OTHER + random_below(ACTION_COUNT - ACTION_FIRST_OTHER);

	step->action = action_address((enum action)action);
	step->registers[STEP_RDI] = random_address();
	step->registers[STEP_RSI] = random_edge();
}

// Debug calls that print are for people: few, so that the run is not spent printing.
static bool is_printing(uint64_t number) {
	return number == (uint64_t)SYSCALL_DEBUG_PUT_CHAR ||
		number == (uint64_t)SYSCALL_DEBUG_DUMP_SCHEDULER ||
		number == (uint64_t)SYSCALL_DEBUG_SNAPSHOT;
}

static void step_corrupt(struct step *step) {
	step->registers[random_below(STEP_REGISTERS)] = random_edge();
	if (is_printing(step->registers[STEP_RDX]) && random_below(100))
		step->registers[STEP_RDX] = (uint64_t)SYSCALL_YIELD;
}

static void step_make(struct step *step, unsigned n) {
	unsigned luck = random_below(100);

	*step = (struct step){.action = action_address(ACTION_SYSCALL)};
	if (luck < 94)
		call_make(step, n);
	else if (luck < 96)
		debug_make(step);
	else
		other_make(step);
	step->receive[0] = pick_slot(POOL_CNODE);
	step->receive[1] = random_free();
	step->receive[2] = random_below(8) ? random_depth() : random_edge();
	if (random_once_in(16)) step_corrupt(step);
}

void script_make(unsigned index) {
	struct script *script = script_of(index);

	space = index % POOL_SPACES;
	enters_guest = index < GUESTS;
	if (index >= FIRST_SERVER)
		role = ROLE_SERVER;
	else
		role = random_below(5) ? ROLE_ANY : ROLE_CLIENT;
	for (unsigned n = 0; n < SCRIPT_STEPS; n++)
		step_make(&script->steps[n], n);
	script->steps[SCRIPT_STEPS] = (struct step){.action = action_address(ACTION_END)};
}
