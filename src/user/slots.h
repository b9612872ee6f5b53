// SPDX-License-Identifier: BSD-2-Clause
// Free slots of the initial task's root CNode.
#pragma once

#include <sel4/sel4.h>

// Manage the slots start..end - 1, at most 2^16 - 1 of them. Start is not 0.
void slots_init(seL4_Word start, seL4_Word end);

// `count` empty slots with consecutive numbers; 0 when there are none.
[[nodiscard]] seL4_CPtr slots_allocate(seL4_Word count);

// Free slots, which must be empty.
void slots_release(seL4_CPtr first, seL4_Word count);

// Delete the capabilities in the slots and free them.
void slots_delete(seL4_CPtr first, seL4_Word count);

// Note that the capability in the slot is deleted with its owner's memory, see untyped_revoke.
void slots_set_owner(seL4_CPtr slot, unsigned owner);

// Free all slots of an owner whose capabilities are gone.
void slots_release_owner(unsigned owner);

// Delete the capabilities in all slots that were allocated, and free these.
void slots_delete_all(void);

seL4_Word slots_left(void);
