// SPDX-License-Identifier: BSD-2-Clause
// A row for each invocation, and what its letters mean.
#include "signature.h"

#include <base/compiler.h>
#include <string.h>

// Words:
//   p priority   r rights        b badge       k small number   a address   w anything   0-9 digit
//   s filled slot, f free slot, each with d depth 64            T object type
//   u budget, U period: equal now and then      P 255
// Capabilities: t thread, c context, n notification, e endpoint, C cnode, S space, F frame, 0 none.
static const struct signature {
	uint8_t label;
	uint8_t type; // enum cap_type
	uint8_t weight;
	const char *words;
	const char *caps;
} signatures[] = {
	{LABEL_TCB_SET_PRIORITY, CAP_THREAD, 10, "p", "t"},
	{LABEL_TCB_SET_MC_PRIORITY, CAP_THREAD, 1, "P", "t"},
	{LABEL_TCB_SET_SCHED_PARAMS, CAP_THREAD, 4, "Pp", "tce"},
	{LABEL_TCB_SUSPEND, CAP_THREAD, 6, "", ""},
	{LABEL_TCB_RESUME, CAP_THREAD, 10, "", ""},
	{LABEL_TCB_READ_REGISTERS, CAP_THREAD, 2, "k5", ""},
	{LABEL_TCB_WRITE_REGISTERS, CAP_THREAD, 4, "k5aawww", ""},
	{LABEL_TCB_COPY_REGISTERS, CAP_THREAD, 1, "k", "t"},
	{LABEL_TCB_SET_TLS_BASE, CAP_THREAD, 2, "a", ""},
	{LABEL_TCB_SET_FLAGS, CAP_THREAD, 4, "kk", ""},
	{LABEL_TCB_BIND_NOTIFICATION, CAP_THREAD, 6, "", "n"},
	{LABEL_TCB_UNBIND_NOTIFICATION, CAP_THREAD, 4, "", ""},
	{LABEL_TCB_SET_TIMEOUT_ENDPOINT, CAP_THREAD, 2, "", "e"},
	{LABEL_TCB_SET_SPACE, CAP_THREAD, 1, "00", "eCS"},
	{LABEL_TCB_SET_IPC_BUFFER, CAP_THREAD, 1, "a", "F"},
	{LABEL_TCB_CONFIGURE, CAP_THREAD, 1, "00a", "CSF"},
	{LABEL_SCHED_CONTEXT_BIND, CAP_SCHED_CONTEXT, 12, "", "t"},
	{LABEL_SCHED_CONTEXT_BIND, CAP_SCHED_CONTEXT, 3, "", "n"},
	{LABEL_SCHED_CONTEXT_UNBIND, CAP_SCHED_CONTEXT, 4, "", ""},
	{LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAP_SCHED_CONTEXT, 4, "", "t"},
	{LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAP_SCHED_CONTEXT, 1, "", "n"},
	{LABEL_SCHED_CONTEXT_CONSUMED, CAP_SCHED_CONTEXT, 2, "", ""},
	{LABEL_SCHED_CONTEXT_YIELD_TO, CAP_SCHED_CONTEXT, 4, "", ""},
	{LABEL_SCHED_CONTROL_CONFIGURE_FLAGS, CAP_SCHED_CONTROL, 8, "uUkbk", "c"},
	{LABEL_CNODE_DELETE, CAP_CNODE, 3, "sd", ""},
	{LABEL_CNODE_REVOKE, CAP_CNODE, 1, "sd", ""},
	{LABEL_CNODE_CANCEL_BADGED_SENDS, CAP_CNODE, 2, "sd", ""},
	{LABEL_CNODE_COPY, CAP_CNODE, 3, "fdsdr", "C"},
	{LABEL_CNODE_MINT, CAP_CNODE, 3, "fdsdrb", "C"},
	{LABEL_CNODE_MOVE, CAP_CNODE, 2, "fdsd", "C"},
	{LABEL_UNTYPED_RETYPE, CAP_UNTYPED, 6, "T800f1", "C"},
};

static uint64_t budget(struct chance *chance) {
	static const uint16_t microseconds[] = {40, 100, 1000, 5000};

	return microseconds[chance_below(chance, array_count(microseconds))];
}

static uint64_t object_type(struct chance *chance) {
	static const uint8_t types[] = {OBJECT_ENDPOINT, OBJECT_NOTIFICATION, OBJECT_REPLY,
		OBJECT_TCB, OBJECT_SCHED_CONTEXT};

	return types[chance_below(chance, array_count(types))];
}

static uint64_t word_choose(const struct world *world, struct chance *chance, char letter) {
	switch (letter) {
	case 'p': return chance_below(chance, PRIORITY_RANGE);
	case 'P': return UINT8_MAX;
	case 'r': return chance_below(chance, RIGHTS_ALL + 1);
	case 'b':
	case 'k': return chance_below(chance, 4);
	case 'a': return (uint64_t)chance_below(chance, 1 << 20) << IPC_BUFFER_BITS;
	case 's': return world_slot_filled(world, chance);
	case 'f': return world_slot_free(world, chance);
	case 'd': return 64;
	case 'T': return object_type(chance);
	case 'u': return budget(chance);
	case 'U': return budget(chance);
	case 'w': return chance_word(chance);
	default: return (uint64_t)(letter - '0');
	}
}

static unsigned cap_choose(const struct world *world, struct chance *chance, char letter) {
	static const char letters[] = "tcneCSF0";
	static const uint8_t types[] = {CAP_THREAD, CAP_SCHED_CONTEXT, CAP_NOTIFICATION,
		CAP_ENDPOINT, CAP_CNODE, CAP_SPACE, CAP_FRAME, CAP_NULL};

	if (letter == 'C') return SLOT_CNODE;
	return world_slot_of(world, chance, types[strchr(letters, letter) - letters]);
}

void invocation_choose(
	const struct world *world, struct chance *chance, struct invocation_choice *choice) {
	uint8_t weights[array_count(signatures)];
	const struct signature *signature;

	for (unsigned i = 0; i < array_count(signatures); i++)
		weights[i] = signatures[i].weight;
	signature = &signatures[chance_weighted(chance, weights, array_count(signatures))];
	*choice = (struct invocation_choice){.label = signature->label,
		.length = (unsigned)strlen(signature->words),
		.cap_count = (unsigned)strlen(signature->caps)};
	choice->slot = signature->type == CAP_CNODE ? (unsigned)SLOT_CNODE
						    : world_slot_of(world, chance, signature->type);
	for (unsigned i = 0; i < choice->length; i++)
		choice->words[i] = word_choose(world, chance, signature->words[i]);
	for (unsigned i = 0; i < choice->cap_count; i++)
		choice->caps[i] = cap_choose(world, chance, signature->caps[i]);
}
