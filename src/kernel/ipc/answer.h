// SPDX-License-Identifier: BSD-2-Clause
// The end of a wait for a reply: by the answer, or because the reply object is deleted.
#pragma once

#include <ipc/reply.h>

// Answers the caller waiting on reply with sender's message, or its fault (IPC-7, IPC-8, IPC-10).
// flags: MESSAGE_GRANT.
void reply_send(struct reply *reply, struct thread *sender, unsigned flags);
