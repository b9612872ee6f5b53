// SPDX-License-Identifier: BSD-2-Clause
// Threads that wait in the queue of an endpoint or notification, or for a reply: beginning and end
// of the wait.
#pragma once

#include <cap/delete.h>
#include <sched/thread.h>

enum send_block { SEND_BLOCKING, SEND_NONBLOCKING };

// Waits in a queue, behind its equals in priority. A current thread stops running.
void thread_block(struct thread *thread, enum thread_state state, struct thread **queue);

// Leaves the queue it waits in, and the reply object a receiver would use.
void thread_unblock(struct thread *thread);

// Leaves any queue or reply the thread waits in, and clears its fault. The state becomes inactive
// if it waited; otherwise it is unchanged.
void thread_cancel_ipc(struct thread *thread);

// An inactive or blocked thread executes its instruction again (THR-2).
void thread_resume(struct thread *thread);

// A cancelled system call is executed again; a cancelled fault message leaves its thread inactive.
void thread_cancel_wait(struct thread *thread);

// The thread continues after its system call; queues it if it can run (SCHED-21, SCHED-22).
void thread_wake(struct thread *thread);

// For a cap_destroy, of the object for which waiter waits, if any thread does: a step and true.
[[nodiscard]] bool slot_cancel_wait(struct slot *slot, struct thread *waiter);
