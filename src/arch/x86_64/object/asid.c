// SPDX-License-Identifier: BSD-2-Clause
// Address space identifiers: the right to make pools, and pools that hand them to roots.
#include <object/rows.h>

#include <base/memory.h>
#include <kernel/invocation.h>
#include <kernel/space.h>

enum { UNTYPED_UNIT = 16 }; // of a watermark

enum error asid_control_make_pool(struct invocation *invocation) {
	struct slot *untyped = invocation->caps[0];
	struct slot *destination;
	enum error error;

	if (!asid_pool_is_possible()) return ERROR_DELETE_FIRST;
	if (untyped->cap.type != CAP_UNTYPED || untyped->cap.size_bits != ASID_POOL_BITS ||
		untyped->cap.device)
		return error_capability(invocation, 1);
	if (derive_has_child(untyped)) return ERROR_REVOKE_FIRST;
	error = invocation_empty_slot(invocation, &invocation->caps[1]->cap, 0, &destination);
	if (error) return error;

	memset(cap_object(&untyped->cap), 0, 1 << ASID_POOL_BITS);
	untyped->cap.untyped.watermark = (1 << ASID_POOL_BITS) / UNTYPED_UNIT;
	untyped->cap.untyped.cleared = 0;
	derive_insert_original(destination, asid_pool_install(cap_object(&untyped->cap)), untyped);
	return ERROR_NONE;
}

// A pool stays at its base as long as it has a capability, so the ABI's errors for a pool that is
// gone cannot arise.
enum error asid_pool_assign(struct invocation *invocation) {
	struct cap *root = &invocation->caps[0]->cap;

	if (root->type != CAP_SPACE || root->map.asid != 0) return error_capability(invocation, 1);
	return asid_pool_give(&invocation->slot->cap, root) ? ERROR_NONE : ERROR_DELETE_FIRST;
}

void asid_pool_destroy(struct slot *slot, bool last) {
	if (!last) return;
	if (asid_pool_empty_one(&slot->cap))
		slot->next |= SLOT_UNFINISHED;
	else
		asid_pool_remove(&slot->cap);
}
