// SPDX-License-Identifier: BSD-2-Clause
// Small systems in which cores come into each other's way.
#pragma once

#include "rig.h"

#include <abi/message.h>

struct scenario {
	const char *id;
	const char *sentence;
	void (*build)(void);
};

struct scenarios {
	const struct scenario *rows;
	unsigned count;
};

#define SCENARIOS(name) const struct scenarios name = {rows, array_count(rows)}

extern const struct scenarios message_scenarios, thread_scenarios, memory_scenarios,
	guest_scenarios;

// Steps

#define START \
	{ .kind = STEP_START }
#define CALL(to, tag, ...) \
	{ \
		.kind = STEP_CALL, .number = SYSCALL_CALL, .rdi = (to), .rsi = (tag), .words = { \
			__VA_ARGS__ \
		} \
	}
#define SEND(to, tag, ...) \
	{ \
		.kind = STEP_CALL, .number = SYSCALL_SEND, .rdi = (to), .rsi = (tag), .words = { \
			__VA_ARGS__ \
		} \
	}
#define RECV(from, reply) \
	{ .kind = STEP_CALL, .number = SYSCALL_RECV, .rdi = (from), .r12 = (reply) }
#define REPLY_RECV(from, reply, tag, ...) \
	{ \
		.kind = STEP_CALL, .number = SYSCALL_REPLY_RECV, .rdi = (from), .rsi = (tag), \
		.r12 = (reply), .words = { \
			__VA_ARGS__ \
		} \
	}
#define WAIT(from) \
	{ .kind = STEP_CALL, .number = SYSCALL_WAIT, .rdi = (from) }
#define POLL(from) \
	{ .kind = STEP_CALL, .number = SYSCALL_NB_WAIT, .rdi = (from) }
#define DEVICE(core) \
	{ .kind = STEP_DEVICE, .number = (core) }
#define YIELD \
	{ .kind = STEP_CALL, .number = SYSCALL_YIELD }

// An invocation: its words, and as many capabilities as there are in parentheses.
#define INVOKE(slot, label, length, ...) \
	{ \
		.kind = STEP_CALL, .number = SYSCALL_CALL, .rdi = (slot), \
		.rsi = (uint64_t)(label) << 12 | (length), .words = { \
			__VA_ARGS__ \
		} \
	}
#define INVOKE_WITH(slot, label, length, cap, ...) \
	{ \
		.kind = STEP_CALL, .number = SYSCALL_CALL, .rdi = (slot), \
		.rsi = (uint64_t)(label) << 12 | 1 << 7 | (length), .words = {__VA_ARGS__}, \
		.caps = { \
			(cap) \
		} \
	}
#define DELETE(slot) INVOKE(SLOT_CNODE, LABEL_CNODE_DELETE, 2, (slot), 64)
#define REVOKE(slot) INVOKE(SLOT_CNODE, LABEL_CNODE_REVOKE, 2, (slot), 64)
// The context of a thread, with an ordinary budget, goes to a core.
#define CONFIGURE(core, thread) \
	INVOKE_WITH(SLOT_CONTROL + (core), LABEL_SCHED_CONTROL_CONFIGURE_FLAGS, 5, \
		SLOT_CONTEXT + (thread), 10000, 10000)
#define PROGRAM(...) ((const struct step[RIG_STEPS]){__VA_ARGS__})

enum { TAG = 1 << 12 | 1 }; // label 1, a word
