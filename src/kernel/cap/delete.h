// SPDX-License-Identifier: BSD-2-Clause
// Deletion and revocation of capabilities, and of objects with their last one.
#pragma once

#include <cap/object.h>

// Tries to empty slot; deletes the object with its last capability (CAP-20 to CAP-34). May
// stop at a preemption point with ERROR_PREEMPTED, progress kept in the slot.
[[nodiscard]] enum error slot_delete(struct slot *slot);

// Deletes every descendant of slot (CAP-19). Preemptible as slot_delete.
[[nodiscard]] enum error slot_revoke(struct slot *slot);

// A step of slot_delete(). False: the slot is empty. The last capability to a cnode or thread,
// whose slots are to be emptied too, becomes a zombie.
[[nodiscard]] bool slot_delete_step(struct slot *slot);

// For a cap_destroy: the capability in slot was the last one to an object with 2^radix slots, which
// has let go of everything else. What is left are its slots, which further steps empty.
void slot_make_zombie(struct slot *slot, struct slot *slots, unsigned radix);

// The capability of a slot with SLOT_OF_THREAD is about to be deleted. Threads, above, define it.
void thread_slot_leaves(struct slot *slot);
