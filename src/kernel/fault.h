// SPDX-License-Identifier: BSD-2-Clause
// Faults become messages to a handler, and its reply changes the faulting thread (faults.md).
#pragma once

#include <kernel/thread.h>

// Each tells the thread's fault handler, or makes the thread inactive if it has none.
void fault_capability(
	struct thread *thread, uint64_t address, unsigned in_receive, const struct lookup *lookup);
void fault_unknown_syscall(struct thread *thread, uint64_t number);
void fault_user_exception(struct thread *thread, uint64_t vector, uint64_t code);
void fault_vm(struct thread *thread, uint64_t address, uint64_t code);

// Tells the timeout handler; false if the thread has none, and then nothing happened.
bool fault_timeout(struct thread *thread);

// True if cap may stand in a handler slot: null, or an endpoint with Write and Grant or GrantReply.
bool fault_handler_is_valid(const struct cap *cap);

// Writes the fault message of sender into receiver's registers and buffer; returns its tag.
uint64_t fault_write_message(struct thread *sender, struct thread *receiver);

// Takes the handler's reply. True: the thread restarts; false: it becomes inactive.
bool fault_take_reply(struct thread *faulter, struct thread *handler);
