// SPDX-License-Identifier: BSD-2-Clause
// The script of one fuzzing thread, in memory that all of them and the supervisor share.
#pragma once

#include <abi/message.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCRIPTS = 8,
	FIRST_SERVER = 4, // from here on: threads that mostly wait, without time of their own
	SCRIPT_STEPS = 24, // without the last, which ends the script
	STEP_WORDS = 6,
	SCRIPT_SIZE = 8192,
};

// The arena: one large page, at the same address in the supervisor and in all spaces of
// fuzzing threads. The interpreter's code is at its start, the scripts follow.
#define ARENA 0x40000000ul
#define ARENA_SCRIPTS (ARENA + 0x10000)

enum action {
	ACTION_SYSCALL,
	ACTION_END,
	ACTION_FIRST_OTHER,
	ACTION_READ = ACTION_FIRST_OTHER,
	ACTION_WRITE,
	ACTION_JUMP,
	ACTION_COUNT = 23,
};

// Registers in the order in which the interpreter loads them.
enum step_register {
	STEP_RDX,
	STEP_RDI,
	STEP_RSI,
	STEP_R10,
	STEP_R8,
	STEP_R9,
	STEP_R15,
	STEP_R12,
	STEP_R13,
	STEP_REGISTERS,
};

struct step {
	uint64_t action; // address
	uint64_t registers[STEP_REGISTERS];
	uint64_t words[STEP_WORDS]; // message words 4 to 9
	uint64_t caps[MESSAGE_MAX_CAPS];
	uint64_t receive[3]; // cnode, index, depth
};

struct script {
	uint64_t executed; // steps begun; the fuzzing thread counts
	uint64_t scratch[127];
	struct ipc_buffer buffer;
	struct step steps[SCRIPT_STEPS + 1];
};

// interpreter.inc has the same numbers.
_Static_assert(sizeof(struct step) == 176);
_Static_assert(offsetof(struct step, words) == 80);
_Static_assert(offsetof(struct step, caps) == 128);
_Static_assert(offsetof(struct step, receive) == 152);
_Static_assert(offsetof(struct script, buffer) == 1024);
_Static_assert(sizeof(struct script) <= SCRIPT_SIZE);

extern const char interpreter_begin[];
extern const char interpreter_end[];
extern const uint32_t action_offsets[ACTION_COUNT];

// Makes the arena visible to the supervisor. False: the kernel refused.
bool arena_make(void);

// Puts the code there that threads may have overwritten. Before each slice.
void arena_reset(void);

// The frame of the arena, in the supervisor's CSpace.
uint64_t arena_frame(void);

struct script *script_of(unsigned index);

// Address of an action's code.
uint64_t action_address(enum action action);
