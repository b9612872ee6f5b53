// SPDX-License-Identifier: BSD-2-Clause
// Windows: the slots that most capability addresses of a thread lead to, kept beside the thread so
// that finding one is a comparison (struct cspace_window).
//
// A window shows the one cnode of a capability space that consumes all 64 bits, or the cnode behind
// the first slot of the root, if the two consume all bits together. That slot is on the way then:
// it has SLOT_ON_WAY, and when its capability leaves the windows behind it close.
#pragma once

#include <kernel/thread.h>

// The thread's capability space begins at root now. There may be no window for it.
void window_open(struct thread *thread, const struct cap *root);

void window_close(struct thread *thread);

// The capability in a slot with SLOT_ON_WAY is about to go, to move or to be exchanged.
void window_slot_leaves(struct slot *slot);
