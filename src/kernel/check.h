// SPDX-License-Identifier: BSD-2-Clause
// What must hold between two entries into the kernel. The debug build looks after each system call;
// whatever is not so is a panic that names the condition.
#pragma once

#include <base/compiler.h>

// The current thread and what hangs from it.
void check_current(void);

// Everything reachable from the current thread's capability space.
void check_everything(void);

// After a system call: check_current, and check_everything now and then.
void check_after_call(void);
