// SPDX-License-Identifier: BSD-2-Clause
// Operations on untyped memory and CNodes.
#pragma once

#include <sel4/syscalls.h>

static inline seL4_Error seL4_Untyped_Retype(seL4_Untyped _service, seL4_Word type,
	seL4_Word size_bits, seL4_CNode root, seL4_Word node_index, seL4_Word node_depth,
	seL4_Word node_offset, seL4_Word num_objects) {
	struct sel4_invocation call = {.label = LABEL_UNTYPED_RETYPE,
		.caps = 1,
		.length = 6,
		.words = {type, size_bits, node_index, node_depth}};

	seL4_SetCap(0, root);
	seL4_SetMR(4, node_offset);
	seL4_SetMR(5, num_objects);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error sel4_invoke_slot(
	seL4_CNode service, seL4_Word label, seL4_Word index, seL4_Uint8 depth) {
	struct sel4_invocation call = {.label = label, .length = 2, .words = {index, depth}};

	return sel4_invoke(service, &call);
}

static inline seL4_Error seL4_CNode_Revoke(seL4_CNode _service, seL4_Word index, seL4_Uint8 depth) {
	return sel4_invoke_slot(_service, LABEL_CNODE_REVOKE, index, depth);
}

static inline seL4_Error seL4_CNode_Delete(seL4_CNode _service, seL4_Word index, seL4_Uint8 depth) {
	return sel4_invoke_slot(_service, LABEL_CNODE_DELETE, index, depth);
}

static inline seL4_Error seL4_CNode_CancelBadgedSends(
	seL4_CNode _service, seL4_Word index, seL4_Uint8 depth) {
	return sel4_invoke_slot(_service, LABEL_CNODE_CANCEL_BADGED_SENDS, index, depth);
}

static inline seL4_Error seL4_CNode_Copy(seL4_CNode _service, seL4_Word dest_index,
	seL4_Uint8 dest_depth, seL4_CNode src_root, seL4_Word src_index, seL4_Uint8 src_depth,
	seL4_CapRights_t rights) {
	struct sel4_invocation call = {.label = LABEL_CNODE_COPY,
		.caps = 1,
		.length = 5,
		.words = {dest_index, dest_depth, src_index, src_depth}};

	seL4_SetCap(0, src_root);
	seL4_SetMR(4, rights.words[0]);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_CNode_Mint(seL4_CNode _service, seL4_Word dest_index,
	seL4_Uint8 dest_depth, seL4_CNode src_root, seL4_Word src_index, seL4_Uint8 src_depth,
	seL4_CapRights_t rights, seL4_Word badge) {
	struct sel4_invocation call = {.label = LABEL_CNODE_MINT,
		.caps = 1,
		.length = 6,
		.words = {dest_index, dest_depth, src_index, src_depth}};

	seL4_SetCap(0, src_root);
	seL4_SetMR(4, rights.words[0]);
	seL4_SetMR(5, badge);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_CNode_Move(seL4_CNode _service, seL4_Word dest_index,
	seL4_Uint8 dest_depth, seL4_CNode src_root, seL4_Word src_index, seL4_Uint8 src_depth) {
	struct sel4_invocation call = {.label = LABEL_CNODE_MOVE,
		.caps = 1,
		.length = 4,
		.words = {dest_index, dest_depth, src_index, src_depth}};

	seL4_SetCap(0, src_root);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_CNode_Mutate(seL4_CNode _service, seL4_Word dest_index,
	seL4_Uint8 dest_depth, seL4_CNode src_root, seL4_Word src_index, seL4_Uint8 src_depth,
	seL4_Word badge) {
	struct sel4_invocation call = {.label = LABEL_CNODE_MUTATE,
		.caps = 1,
		.length = 5,
		.words = {dest_index, dest_depth, src_index, src_depth}};

	seL4_SetCap(0, src_root);
	seL4_SetMR(4, badge);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_CNode_Rotate(seL4_CNode _service, seL4_Word dest_index,
	seL4_Uint8 dest_depth, seL4_Word dest_badge, seL4_CNode pivot_root, seL4_Word pivot_index,
	seL4_Uint8 pivot_depth, seL4_Word pivot_badge, seL4_CNode src_root, seL4_Word src_index,
	seL4_Uint8 src_depth) {
	struct sel4_invocation call = {.label = LABEL_CNODE_ROTATE,
		.caps = 2,
		.length = 8,
		.words = {dest_index, dest_depth, dest_badge, pivot_index}};

	seL4_SetCap(0, pivot_root);
	seL4_SetCap(1, src_root);
	seL4_SetMR(4, pivot_depth);
	seL4_SetMR(5, pivot_badge);
	seL4_SetMR(6, src_index);
	seL4_SetMR(7, src_depth);
	return sel4_invoke(_service, &call);
}
