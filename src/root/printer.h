// SPDX-License-Identifier: BSD-2-Clause
// The thread that prints the initial task's messages while the system runs, so that no domain waits
// for the console. It runs at the highest priority of the domains that its lines are about.
#pragma once

#include <root/system.h>

#define PRINTED_BADGE (1ul << 33) // of the printer's signals; no domain's badge has this bit

[[nodiscard]] seL4_Error printer_init(struct system *system);

// From now on lines are sent to the printer.
void printer_start(void);

// The priority of the domain that the next lines are about.
void printer_select(seL4_Word priority);

// Let the printer continue with what was written or printed in the meantime.
void printer_update(void);
