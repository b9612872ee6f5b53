// SPDX-License-Identifier: BSD-2-Clause
// The life of a thread, from Retype to the deletion of its last capability.
//
// The folder: threads and scheduling contexts as objects. This file, and the invocations of threads
// (tcb), scheduling contexts (sched_control) and domains (domain).
#pragma once

#include <sched/thread.h>

// Becomes inactive; a runnable thread will continue where it was (THR-3).
void thread_suspend(struct thread *thread);

void thread_set_priority(struct thread *thread, unsigned priority);

// Fills an empty slot of a thread with cap, derived from the one in source, and caches what is
// derived from it until it is deleted. For a buffer, buffer_address is set before.
void thread_fill_slot(struct slot *slot, struct cap cap, struct slot *source);
