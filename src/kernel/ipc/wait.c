// SPDX-License-Identifier: BSD-2-Clause
// Waiting.
#include <ipc/wait.h>

#include <ipc/reply.h>
#include <ipc/endpoint.h>
#include <sched/schedule.h>

void thread_block(struct thread *thread, enum thread_state state, struct thread **queue) {
	thread->state = (uint8_t)state;
	thread->waits_in = queue;
	wait_queue_insert(queue, thread);
}

void thread_unblock(struct thread *thread) {
	if (thread->state == THREAD_BLOCKED_SEND) endpoint_lose_sender(thread);
	wait_queue_remove(thread->waits_in, thread);
	if (thread->state == THREAD_BLOCKED_RECEIVE && thread->reply) {
		reply_set(thread->reply, NULL);
		thread->reply = NULL;
	}
}

void thread_cancel_ipc(struct thread *thread) {
	if (!thread_is_blocked(thread)) return;
	if (thread->state == THREAD_BLOCKED_REPLY)
		reply_cancel_wait(thread);
	else
		thread_unblock(thread);
	thread->state_and_fault = THREAD_INACTIVE;
}

void thread_resume(struct thread *thread) {
	if (thread_is_runnable(thread)) return;
	thread_cancel_ipc(thread);
	thread->state = THREAD_RESTART;
	schedule_propose(thread);
}

void thread_cancel_wait(struct thread *thread) {
	if (thread->fault_kind == FAULT_NONE)
		thread_resume(thread);
	else
		thread_cancel_ipc(thread);
}

void thread_wake(struct thread *thread) {
	thread->state = THREAD_RUNNING;
	schedule_propose(thread);
}

bool slot_cancel_wait(struct slot *slot, struct thread *waiter) {
	if (likely(!waiter)) return false;
	slot->cap.rights = 0; // no thread can wait any more
	slot->next |= SLOT_UNFINISHED;
	thread_cancel_wait(waiter);
	return true;
}
