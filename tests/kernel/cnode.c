// SPDX-License-Identifier: BSD-2-Clause
// Tests: CNode operations that succeed: copy, mint, move, mutate, rotate, delete, revoke.
#include "world.h"

static struct message cnode_copy(uint64_t target, uint64_t source) {
	return invoke(ROOT_SLOT_CNODE, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(target, DEPTH, source, DEPTH, RIGHTS_ALL));
}

static struct message cnode_move(uint64_t target, uint64_t source) {
	return invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MOVE, CAPS(ROOT_SLOT_CNODE),
		WORDS(target, DEPTH, source, DEPTH));
}

static struct message cnode_rotate(uint64_t target, uint64_t pivot, uint64_t source) {
	return invoke(ROOT_SLOT_CNODE, LABEL_CNODE_ROTATE, CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_CNODE),
		WORDS(target, DEPTH, 0, pivot, DEPTH, 0, source, DEPTH));
}

static uint64_t signalled(uint64_t notification) { return ipc_nb_wait(notification).badge; }

static void copy_keeps(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHTS_ALL, 0x70);
	uint64_t copy = cap_copy(badged);

	ipc_signal(copy);
	CHECK_EQUAL(signalled(notification), 0x70);
	CHECK_EQUAL(cap_kind(badged), KIND_NOTIFICATION);
}

static void copy_rights(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHTS_ALL, 1);
	uint64_t reader = cap_copy_rights(badged, RIGHT_READ);
	uint64_t both = cap_copy(reader);

	CHECK_ERROR(invoke(reader, 0, CAPS(), WORDS()), ERROR_INVALID_CAPABILITY, 0);
	// Rights never grow back.
	CHECK_ERROR(invoke(both, 0, CAPS(), WORDS()), ERROR_INVALID_CAPABILITY, 0);
	CHECK_EQUAL(signalled(notification), 0);
	ipc_signal(badged);
	CHECK_EQUAL(signalled(both), 1);
}

static void rights_high_bits(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t copy = cap_copy_rights(notification, 0xfffffffffffffff0ul | RIGHT_WRITE);

	ipc_signal(cap_mint(copy, RIGHTS_ALL, 4));
	CHECK_EQUAL(signalled(notification), 4);
}

static void mint_badge_zero(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t copy = cap_mint(notification, RIGHTS_ALL, 0);

	// Still unbadged: it can take a badge.
	ipc_signal(cap_mint(copy, RIGHTS_ALL, 8));
	CHECK_EQUAL(signalled(notification), 8);
}

static void mint_other_kind(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);

	CHECK_EQUAL(cap_kind(cap_mint(tcb, 0, ~0ul)), KIND_TCB);
	CHECK_EQUAL(cap_kind(cap_mint(ROOT_SLOT_SPACE, 0, 77)), KIND_PML4);
}

static void move_keeps(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHT_WRITE, 0x33);
	uint64_t target = slot_take();

	CHECK_OK(cnode_move(target, badged));
	CHECK_EQUAL(cap_kind(badged), KIND_NULL);
	ipc_signal(target);
	CHECK_EQUAL(signalled(notification), 0x33);
}

static void move_keeps_tree(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t endpoint = object_new_in(untyped, OBJECT_ENDPOINT, 0);
	uint64_t moved = slot_take();
	uint64_t moved_endpoint = slot_take();

	CHECK_OK(cnode_move(moved, untyped));
	CHECK_OK(cnode_move(moved_endpoint, endpoint));
	// Watermark and children moved along.
	CHECK_ERROR(retype_one(moved, OBJECT_PAGE, 0, slot_take()), ERROR_NOT_ENOUGH_MEMORY, 4080);
	CHECK_OK(cap_revoke(moved));
	CHECK_EQUAL(cap_kind(moved_endpoint), KIND_NULL);
	(void)object_new_in(moved, OBJECT_PAGE, 0);
}

static void move_singular(void) {
	uint64_t away = slot_take();

	CHECK_OK(cnode_move(away, ROOT_SLOT_IRQ_CONTROL));
	CHECK_EQUAL(cap_kind(away), KIND_IRQ_CONTROL);
	CHECK_OK(cnode_move(ROOT_SLOT_IRQ_CONTROL, away));
	CHECK_EQUAL(cap_kind(ROOT_SLOT_IRQ_CONTROL), KIND_IRQ_CONTROL);
}

static void mutate_guard(void) {
	uint64_t cnode = cnode_make(4, 0x5, 8);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	CHECK_OK(invoke(cnode, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(0x5 << 4 | 3, 12, endpoint, DEPTH, RIGHTS_ALL)));
	CHECK_ERROR(invoke(cnode, LABEL_CNODE_DELETE, CAPS(), WORDS(0x6 << 4 | 3, 12)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_GUARD_MISMATCH, 12, 5, 8);
	CHECK_OK(invoke(cnode, LABEL_CNODE_DELETE, CAPS(), WORDS(0x5 << 4 | 3, 12)));
}

static void mutate_zero_guard(void) {
	uint64_t cnode = cnode_make(4, 0x5, 8);
	uint64_t plain = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MUTATE, CAPS(ROOT_SLOT_CNODE),
		WORDS(plain, DEPTH, cnode, DEPTH, 0)));
	CHECK_OK(invoke(plain, LABEL_CNODE_DELETE, CAPS(), WORDS(3, 4)));
}

static void mutate_other_kind(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t target = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MUTATE, CAPS(ROOT_SLOT_CNODE),
		WORDS(target, DEPTH, tcb, DEPTH, 99)));
	CHECK_EQUAL(cap_kind(target), KIND_TCB);
	CHECK_EQUAL(cap_kind(tcb), KIND_NULL);
}

static void rotate_three(void) {
	uint64_t pivot = object_new(OBJECT_TCB, 0);
	uint64_t source = object_new(OBJECT_REPLY, 0);
	uint64_t target = slot_take();

	CHECK_OK(cnode_rotate(target, pivot, source));
	CHECK_EQUAL(cap_kind(target), KIND_TCB);
	CHECK_EQUAL(cap_kind(pivot), KIND_REPLY);
	CHECK_EQUAL(cap_kind(source), KIND_NULL);
}

static void rotate_swap(void) {
	uint64_t pivot = object_new(OBJECT_TCB, 0);
	uint64_t source = object_new(OBJECT_REPLY, 0);

	CHECK_OK(cnode_rotate(source, pivot, source));
	CHECK_EQUAL(cap_kind(source), KIND_TCB);
	CHECK_EQUAL(cap_kind(pivot), KIND_REPLY);
}

static void rotate_guards(void) {
	uint64_t pivot = object_new(OBJECT_CNODE, 4);
	uint64_t source = object_new(OBJECT_CNODE, 4);
	uint64_t target = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_ROTATE, CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_CNODE),
		WORDS(target, DEPTH, 0x2 << 6 | 4, pivot, DEPTH, 0x3 << 6 | 4, source, DEPTH)));
	CHECK_OK(invoke(target, LABEL_CNODE_DELETE, CAPS(), WORDS(0x21, 8)));
	CHECK_OK(invoke(pivot, LABEL_CNODE_DELETE, CAPS(), WORDS(0x31, 8)));
}

static void delete_empty(void) {
	CHECK_OK(cap_delete(slot_take()));
	CHECK_OK(cap_revoke(slot_take()));
}

static void revoke_leaf(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	CHECK_OK(cap_revoke(endpoint));
	CHECK_EQUAL(cap_kind(endpoint), KIND_ENDPOINT);
}

static void index_high_bits(void) {
	uint64_t cnode = object_new(OBJECT_CNODE, 4);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	// Only the low `depth` bits of an index count.
	CHECK_OK(invoke(cnode, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(0xfffffffffffffff3, 4, endpoint, DEPTH, RIGHTS_ALL)));
	CHECK_ERROR(invoke(cnode, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
			    WORDS(3, 4, endpoint, DEPTH, RIGHTS_ALL)),
		ERROR_DELETE_FIRST);
}

static void through_levels(void) {
	uint64_t outer = object_new(OBJECT_CNODE, 4);
	uint64_t inner = object_new(OBJECT_CNODE, 4);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	CHECK_OK(invoke(outer, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(0xa, 4, inner, DEPTH, RIGHTS_ALL)));
	CHECK_OK(invoke(outer, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(0xa7, 8, endpoint, DEPTH, RIGHTS_ALL)));
	CHECK_ERROR(invoke(inner, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
			    WORDS(7, 4, endpoint, DEPTH, RIGHTS_ALL)),
		ERROR_DELETE_FIRST);
	// Bits left over at something that is no CNode.
	CHECK_ERROR(invoke(outer, LABEL_CNODE_DELETE, CAPS(), WORDS(0xa75, 12)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_DEPTH_MISMATCH, 4, 0);
}

static void copy_between(void) {
	uint64_t cnode = object_new(OBJECT_CNODE, 2);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t back = slot_take();

	CHECK_OK(invoke(cnode, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(1, 2, endpoint, DEPTH, RIGHTS_ALL)));
	CHECK_OK(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MOVE, CAPS(cnode), WORDS(back, DEPTH, 1, 2)));
	CHECK_EQUAL(cap_kind(back), KIND_ENDPOINT);
	CHECK_OK(cnode_copy(slot_take(), back));
}

static void by_send(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	// A plain Send to an object acts, and says nothing.
	ipc_send(ROOT_SLOT_CNODE, LABEL_CNODE_DELETE, WORDS(endpoint, DEPTH));
	CHECK_EQUAL(cap_kind(endpoint), KIND_NULL);
	ipc_nb_send(ROOT_SLOT_CNODE, LABEL_CNODE_DELETE, WORDS(endpoint, 99));
}

static const struct test tests[] = {
	{"cnode-copy", "Copy keeps badge and rights", copy_keeps, "CNodeCopy/0"},
	{"cnode-rights", "rights shrink by the mask and never grow", copy_rights, NULL},
	{"cnode-rights-high", "rights bits above the fourth are ignored", rights_high_bits, NULL},
	{"cnode-mint", "Mint with badge 0 leaves an unbadged capability", mint_badge_zero,
		"CNodeMint/0"},
	{"cnode-mint-other", "Mint ignores rights and data of kinds that have none",
		mint_other_kind, NULL},
	{"cnode-move", "Move empties the source and keeps badge and rights", move_keeps,
		"CNodeMove/0"},
	{"cnode-move-tree", "Move keeps watermark and place in the derivation tree",
		move_keeps_tree, NULL},
	{"cnode-move-singular", "capabilities that cannot be copied can be moved", move_singular,
		NULL},
	{"cnode-mutate", "Mutate gives a CNode capability a guard", mutate_guard, "CNodeMutate/0"},
	{"cnode-mutate-zero", "Mutate with data 0 removes the guard", mutate_zero_guard, NULL},
	{"cnode-mutate-other", "Mutate of a kind without data moves", mutate_other_kind, NULL},
	{"cnode-rotate", "Rotate moves pivot to target and source to pivot", rotate_three,
		"CNodeRotate/0"},
	{"cnode-swap", "Rotate with target and source alike swaps", rotate_swap, NULL},
	{"cnode-rotate-guard", "Rotate applies each data word to its capability", rotate_guards,
		NULL},
	{"cnode-empty", "Delete and Revoke of an empty slot succeed", delete_empty,
		"CNodeDelete/0"},
	{"cnode-revoke-leaf", "Revoke without descendants changes nothing", revoke_leaf,
		"CNodeRevoke/0"},
	{"cnode-index", "only the low bits of an index count", index_high_bits, NULL},
	{"cnode-levels", "operations reach slots of a CNode in a CNode", through_levels, NULL},
	{"cnode-between", "capabilities go from one CNode to another and back", copy_between, NULL},
	{"cnode-send", "Send to an object acts without a reply", by_send, NULL},
};

TEST_FILE(cnode);
