// SPDX-License-Identifier: BSD-2-Clause
// Tests: every refusal of the CNode operations, in the order the kernel checks.
#include <base/memory.h>
#include "world.h"

struct operation {
	uint64_t label;
	unsigned words;
	unsigned least; // words below which an operation with a source is truncated
};

static const struct operation operations[] = {
	{LABEL_CNODE_REVOKE, 2, 0},
	{LABEL_CNODE_DELETE, 2, 0},
	{LABEL_CNODE_CANCEL_BADGED_SENDS, 2, 0},
	{LABEL_CNODE_COPY, 5, 4},
	{LABEL_CNODE_MINT, 6, 4},
	{LABEL_CNODE_MOVE, 4, 4},
	{LABEL_CNODE_MUTATE, 5, 4},
	{LABEL_CNODE_ROTATE, 8, 8},
};

enum { FIRST_WITH_SOURCE = 3, ROTATE = 7, OPERATIONS = 8 };

// The operation with these words in front and zeros behind; two extra caps serve all of them.
static struct message operate(const struct operation *operation, struct words given) {
	uint64_t words[8] = {0};

	memcpy(words, given.items, given.count * sizeof(words[0]));
	return invoke(ROOT_SLOT_CNODE, operation->label, CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_CNODE),
		(struct words){operation->words, words});
}

static void label_unknown(void) {
	CHECK_ERROR(invoke(ROOT_SLOT_CNODE, 0, CAPS(), WORDS(0, 64)), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_CNODE, LABEL_TCB_SUSPEND, CAPS(), WORDS(0, 64)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_CNODE, LABEL_IRQ_HANDLER_ACK, CAPS(), WORDS(0, 64)),
		ERROR_ILLEGAL_OPERATION);
}

static void target_truncated(void) {
	for (unsigned index = 0; index < OPERATIONS; index++)
		CHECK_ERROR(invoke(ROOT_SLOT_CNODE, operations[index].label, CAPS(ROOT_SLOT_CNODE),
				    WORDS(slot_take())),
			ERROR_TRUNCATED_MESSAGE);
}

static void target_depth(void) {
	uint64_t slot = slot_take();

	for (unsigned index = 0; index < OPERATIONS; index++) {
		CHECK_ERROR(operate(&operations[index], WORDS(slot, 0)), ERROR_RANGE, 1, 64);
		CHECK_ERROR(operate(&operations[index], WORDS(slot, 65)), ERROR_RANGE, 1, 64);
		CHECK_ERROR(operate(&operations[index], WORDS(slot, 0x140)), ERROR_RANGE, 1, 64);
	}
}

static void target_lookup(void) {
	uint64_t slot = slot_take();

	for (unsigned index = 0; index < OPERATIONS; index++) {
		CHECK_ERROR(operate(&operations[index], WORDS(slot, 12)), ERROR_FAILED_LOOKUP, 0,
			LOOKUP_GUARD_MISMATCH, 12, 0, ROOT_GUARD);
		CHECK_ERROR(operate(&operations[index], WORDS(slot, 63)), ERROR_FAILED_LOOKUP, 0,
			LOOKUP_DEPTH_MISMATCH, 63, 64);
		CHECK_ERROR(operate(&operations[index], WORDS(1ul << 50, 64)), ERROR_FAILED_LOOKUP,
			0, LOOKUP_GUARD_MISMATCH, 64, 0, ROOT_GUARD);
	}
}

static void cancel_rights(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	for (uint64_t rights = 0; rights < RIGHTS_ALL; rights++)
		CHECK_ERROR(
			operate(&operations[2], WORDS(cap_copy_rights(endpoint, rights), DEPTH)),
			ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(operate(&operations[2], WORDS(ROOT_SLOT_TCB, DEPTH)), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(operate(&operations[2], WORDS(slot_take(), DEPTH)), ERROR_ILLEGAL_OPERATION);
	CHECK_OK(operate(&operations[2], WORDS(endpoint, DEPTH)));
}

static void source_truncated(void) {
	uint64_t target = slot_take();

	for (unsigned index = FIRST_WITH_SOURCE; index < OPERATIONS; index++) {
		uint64_t words[8] = {target, DEPTH, ROOT_SLOT_TCB, DEPTH};
		unsigned least = operations[index].least;

		CHECK_ERROR(invoke(ROOT_SLOT_CNODE, operations[index].label, CAPS(),
				    (struct words){8, words}),
			ERROR_TRUNCATED_MESSAGE);
		CHECK_ERROR(invoke(ROOT_SLOT_CNODE, operations[index].label,
				    CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_CNODE),
				    (struct words){least - 1, words}),
			ERROR_TRUNCATED_MESSAGE);
	}
	CHECK_ERROR(
		invoke(ROOT_SLOT_CNODE, LABEL_CNODE_ROTATE, CAPS(ROOT_SLOT_CNODE),
			WORDS(target, DEPTH, 0, ROOT_SLOT_TCB, DEPTH, 0, ROOT_SLOT_CNODE, DEPTH)),
		ERROR_TRUNCATED_MESSAGE);
}

static void target_occupied(void) {
	for (unsigned index = FIRST_WITH_SOURCE; index < ROTATE; index++)
		CHECK_ERROR(
			operate(&operations[index], WORDS(ROOT_SLOT_TCB, DEPTH, slot_take(), 0)),
			ERROR_DELETE_FIRST);
}

static void source_root(void) {
	uint64_t target = slot_take();

	for (unsigned index = FIRST_WITH_SOURCE; index < ROTATE; index++)
		CHECK_ERROR(invoke(ROOT_SLOT_CNODE, operations[index].label, CAPS(ROOT_SLOT_TCB),
				    WORDS(target, DEPTH, ROOT_SLOT_TCB, DEPTH, 0, 0)),
			ERROR_FAILED_LOOKUP, 1, LOOKUP_INVALID_ROOT);
}

static void source_depth(void) {
	uint64_t target = slot_take();

	for (unsigned index = FIRST_WITH_SOURCE; index < ROTATE; index++) {
		CHECK_ERROR(operate(&operations[index], WORDS(target, DEPTH, 1, 0)), ERROR_RANGE, 1,
			64);
		CHECK_ERROR(operate(&operations[index], WORDS(target, DEPTH, 1, 65)), ERROR_RANGE,
			1, 64);
	}
}

static void source_lookup(void) {
	uint64_t target = slot_take();

	for (unsigned index = FIRST_WITH_SOURCE; index < ROTATE; index++) {
		CHECK_ERROR(operate(&operations[index], WORDS(target, DEPTH, 1, 12)),
			ERROR_FAILED_LOOKUP, 1, LOOKUP_GUARD_MISMATCH, 12, 0, ROOT_GUARD);
		CHECK_ERROR(operate(&operations[index], WORDS(target, DEPTH, 1, 63)),
			ERROR_FAILED_LOOKUP, 1, LOOKUP_DEPTH_MISMATCH, 63, 64);
	}
}

static void source_empty(void) {
	uint64_t target = slot_take();
	uint64_t empty = slot_take();

	for (unsigned index = FIRST_WITH_SOURCE; index < ROTATE; index++)
		CHECK_ERROR(operate(&operations[index], WORDS(target, DEPTH, empty, DEPTH)),
			ERROR_FAILED_LOOKUP, 1, LOOKUP_MISSING_CAPABILITY, 64);
}

static void last_word_missing(void) {
	uint64_t target = slot_take();

	CHECK_ERROR(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
			    WORDS(target, DEPTH, ROOT_SLOT_TCB, DEPTH)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MINT, CAPS(ROOT_SLOT_CNODE),
			    WORDS(target, DEPTH, ROOT_SLOT_TCB, DEPTH, 0)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MUTATE, CAPS(ROOT_SLOT_CNODE),
			    WORDS(target, DEPTH, ROOT_SLOT_TCB, DEPTH)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_EQUAL(cap_kind(ROOT_SLOT_TCB), KIND_TCB);
}

static void cannot_derive(void) {
	uint64_t target = slot_take();
	uint64_t parent = object_new(OBJECT_UNTYPED, 12);
	uint64_t table = object_new(OBJECT_PAGE_TABLE, 0);
	uint64_t space = object_new(OBJECT_PML4, 0);

	(void)object_new_in(parent, OBJECT_ENDPOINT, 0);
	for (unsigned index = FIRST_WITH_SOURCE; index < 5; index++) {
		CHECK_ERROR(operate(&operations[index], WORDS(target, DEPTH, parent, DEPTH)),
			ERROR_REVOKE_FIRST);
		CHECK_ERROR(operate(&operations[index], WORDS(target, DEPTH, table, DEPTH)),
			ERROR_ILLEGAL_OPERATION);
		CHECK_ERROR(operate(&operations[index], WORDS(target, DEPTH, space, DEPTH)),
			ERROR_ILLEGAL_OPERATION);
		CHECK_ERROR(operate(&operations[index],
				    WORDS(target, DEPTH, ROOT_SLOT_IRQ_CONTROL, DEPTH)),
			ERROR_ILLEGAL_OPERATION);
		CHECK_ERROR(operate(&operations[index],
				    WORDS(target, DEPTH, ROOT_SLOT_PORT_CONTROL, DEPTH)),
			ERROR_ILLEGAL_OPERATION);
	}
	CHECK_EQUAL(cap_kind(target), KIND_NULL);
}

static void mint_data(void) {
	uint64_t target = slot_take();
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t badged = cap_mint(endpoint, RIGHTS_ALL, 5);
	uint64_t cnode = object_new(OBJECT_CNODE, 8);
	const struct operation *mint = &operations[4];

	CHECK_ERROR(operate(mint, WORDS(target, DEPTH, badged, DEPTH, RIGHTS_ALL, 6)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(operate(mint, WORDS(target, DEPTH, badged, DEPTH, RIGHTS_ALL, 5)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(operate(mint, WORDS(target, DEPTH, badged, DEPTH, RIGHTS_ALL, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(operate(mint, WORDS(target, DEPTH, cnode, DEPTH, RIGHTS_ALL, 57)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_OK(operate(mint, WORDS(target, DEPTH, cnode, DEPTH, RIGHTS_ALL, 56)));
}

static void mutate_data(void) {
	uint64_t target = slot_take();
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t cnode = object_new(OBJECT_CNODE, 8);
	const struct operation *mutate = &operations[6];

	CHECK_ERROR(
		operate(mutate, WORDS(target, DEPTH, endpoint, DEPTH, 0)), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(operate(mutate, WORDS(target, DEPTH, notification, DEPTH, 1)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(
		operate(mutate, WORDS(target, DEPTH, cnode, DEPTH, 57)), ERROR_ILLEGAL_OPERATION);
	CHECK_EQUAL(cap_kind(endpoint), KIND_ENDPOINT);
	CHECK_EQUAL(cap_kind(cnode), KIND_CNODE);
}

static struct message rotate(struct words caps, struct words words) {
	return invoke(ROOT_SLOT_CNODE, LABEL_CNODE_ROTATE, caps, words);
}

static void rotate_source(void) {
	struct words roots = CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_CNODE);
	uint64_t target = slot_take();

	CHECK_ERROR(rotate(CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_TCB),
			    WORDS(target, DEPTH, 0, 1, DEPTH, 0, 2, DEPTH)),
		ERROR_FAILED_LOOKUP, 1, LOOKUP_INVALID_ROOT);
	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 0, 1, DEPTH, 0, 2, 0)), ERROR_RANGE, 1, 64);
	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 0, 1, DEPTH, 0, 2, 63)), ERROR_FAILED_LOOKUP,
		1, LOOKUP_DEPTH_MISMATCH, 63, 64);
	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 0, 1, DEPTH, 0, 2, 12)), ERROR_FAILED_LOOKUP,
		1, LOOKUP_GUARD_MISMATCH, 12, 0, ROOT_GUARD);
}

static void rotate_pivot(void) {
	struct words roots = CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_CNODE);
	uint64_t target = slot_take();

	CHECK_ERROR(rotate(CAPS(ROOT_SLOT_TCB, ROOT_SLOT_CNODE),
			    WORDS(target, DEPTH, 0, 1, DEPTH, 0, 2, DEPTH)),
		ERROR_FAILED_LOOKUP, 1, LOOKUP_INVALID_ROOT);
	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 0, 1, 65, 0, 2, DEPTH)), ERROR_RANGE, 1, 64);
	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 0, 1, 63, 0, 2, DEPTH)), ERROR_FAILED_LOOKUP,
		1, LOOKUP_DEPTH_MISMATCH, 63, 64);
}

static void rotate_slots(void) {
	struct words roots = CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_CNODE);
	uint64_t target = slot_take();
	uint64_t empty = slot_take();
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);

	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 0, tcb, DEPTH, 0, tcb, DEPTH)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(rotate(roots, WORDS(tcb, DEPTH, 0, tcb, DEPTH, 0, reply, DEPTH)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(rotate(roots, WORDS(ROOT_SLOT_TCB, DEPTH, 0, tcb, DEPTH, 0, reply, DEPTH)),
		ERROR_DELETE_FIRST);
	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 0, tcb, DEPTH, 0, empty, DEPTH)),
		ERROR_FAILED_LOOKUP, 1, LOOKUP_MISSING_CAPABILITY, 64);
	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 0, empty, DEPTH, 0, tcb, DEPTH)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_MISSING_CAPABILITY, 64);
}

static void rotate_data(void) {
	struct words roots = CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_CNODE);
	uint64_t target = slot_take();
	uint64_t cnode = object_new(OBJECT_CNODE, 8);
	uint64_t reply = object_new(OBJECT_REPLY, 0);

	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 57, cnode, DEPTH, 0, reply, DEPTH)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(rotate(roots, WORDS(target, DEPTH, 0, reply, DEPTH, 57, cnode, DEPTH)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_EQUAL(cap_kind(cnode), KIND_CNODE);
}

static const struct test tests[] = {
	{"cnode-label", "a CNode knows no other label", label_unknown, "CNodeRevoke/1"},
	{"cnode-truncated", "each operation needs two words", target_truncated,
		"CNodeRevoke/2 CNodeDelete/1 CNodeCancelBadgedSends/1 CNodeCopy/1 CNodeMint/1 "
		"CNodeMove/1 CNodeMutate/1 CNodeRotate/1"},
	{"cnode-target-depth", "a target depth outside 1 to 64 is a range error", target_depth,
		"CNodeRevoke/4 CNodeDelete/3 CNodeCancelBadgedSends/3 CNodeCopy/3 CNodeMint/3 "
		"CNodeMove/3 CNodeMutate/3 CNodeRotate/3"},
	{"cnode-target-lookup", "a target that does not resolve is described", target_lookup,
		"CNodeRevoke/5 CNodeDelete/4 CNodeCancelBadgedSends/4 CNodeCopy/4 CNodeMint/4 "
		"CNodeMove/4 CNodeMutate/4 CNodeRotate/4"},
	{"cnode-cancel-rights", "CancelBadgedSends needs an endpoint with all rights",
		cancel_rights, "CNodeCancelBadgedSends/5 CNodeCancelBadgedSends/0"},
	{"cnode-source-truncated", "operations with a source need its words and root",
		source_truncated,
		"CNodeCopy/5 CNodeMint/5 CNodeMove/5 CNodeMutate/5 CNodeRotate/5"},
	{"cnode-occupied", "an occupied target is refused before the source is looked at",
		target_occupied, "CNodeCopy/6 CNodeMint/6 CNodeMove/6 CNodeMutate/6"},
	{"cnode-source-root", "the source root must be a CNode", source_root,
		"CNodeCopy/7 CNodeMint/7 CNodeMove/7 CNodeMutate/7"},
	{"cnode-source-depth", "a source depth outside 1 to 64 is a range error", source_depth,
		"CNodeCopy/8 CNodeMint/8 CNodeMove/8 CNodeMutate/8"},
	{"cnode-source-lookup", "a source that does not resolve is described as source",
		source_lookup, "CNodeCopy/9 CNodeMint/9 CNodeMove/9 CNodeMutate/9"},
	{"cnode-source-empty", "an empty source slot is a missing capability", source_empty,
		"CNodeCopy/10 CNodeMint/10 CNodeMove/10 CNodeMutate/10"},
	{"cnode-last-word", "the rights and data words must be there", last_word_missing,
		"CNodeCopy/11 CNodeMint/11 CNodeMutate/11"},
	{"cnode-derive", "capabilities that cannot be derived are refused", cannot_derive,
		"CNodeCopy/12 CNodeCopy/13 CNodeMint/12"},
	{"cnode-mint-data", "a second badge and a too long guard are refused", mint_data,
		"CNodeMint/13"},
	{"cnode-mutate-data", "Mutate of endpoints and too long guards are refused", mutate_data,
		"CNodeMutate/12"},
	{"cnode-rotate-source", "Rotate describes a source that does not resolve", rotate_source,
		"CNodeRotate/6 CNodeRotate/7 CNodeRotate/8"},
	{"cnode-rotate-pivot", "Rotate describes a pivot that does not resolve as source",
		rotate_pivot, "CNodeRotate/9"},
	{"cnode-rotate-slots", "Rotate refuses equal, occupied and empty slots", rotate_slots,
		"CNodeRotate/10 CNodeRotate/11 CNodeRotate/12 CNodeRotate/13"},
	{"cnode-rotate-data", "Rotate refuses data that cannot be applied", rotate_data,
		"CNodeRotate/14"},
};

TEST_FILE(cnode_errors);
