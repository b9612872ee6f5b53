// SPDX-License-Identifier: BSD-2-Clause
// Shared by the parts of the component runtime.
#pragma once

#include <microkit.h>

// Whether the kernel has a debug console; without one the system call would be a fault.
extern bool microkit_printing;

// Called by start.asm.
int main(void);

// Whether the guest runs by its state page (vcpu.c).
extern bool vcpu_by_state_page;

// Whether the id is valid and its bit set; if not, prints a line with function and kind.
[[nodiscard]] bool check_id(seL4_Word valid, unsigned id, const char *function, const char *kind);

// Print one line naming the function, then crash with the error number as the fault address.
void crash_in(const char *function, seL4_Error error);

// Perform the deferred operation now, if there is one.
void signal_flush(void);

// Make an operation the deferred one; an earlier one is performed at once.
void signal_defer(seL4_CPtr cap, microkit_msginfo message);
