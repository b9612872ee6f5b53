// SPDX-License-Identifier: BSD-2-Clause
// What a fault says to its handler, and what the reply changes in the thread (FAULT-1 to FAULT-14).
#pragma once

#include <sched/thread.h>

// Writes the fault message of sender into receiver's registers and buffer; returns its tag.
uint64_t fault_write_message(struct thread *sender, struct thread *receiver);

// Whether the handler's reply with this tag lets the thread restart; otherwise it becomes inactive.
[[nodiscard]] bool fault_reply_restarts(const struct thread *faulter, uint64_t tag);

// Takes the registers of the handler's reply. The fault is over.
void fault_take_reply(struct thread *faulter, const struct thread *handler);
