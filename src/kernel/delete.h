// SPDX-License-Identifier: BSD-2-Clause
// Deletion of capabilities and of the objects that own slots (slot_delete and slot_revoke stand in
// object.h).
#pragma once

#include <kernel/cap.h>

// object_ops destroy of the kinds with slots: the last capability becomes a zombie.
void cnode_destroy(struct slot *slot, bool last);
void thread_cap_destroy(struct slot *slot, bool last);

// Empties a slot that does not hold the last capability to a cnode or thread, nor a zombie: one
// step, for objects that own a slot for a capability of a simple kind.
void slot_delete_simple(struct slot *slot);
