// SPDX-License-Identifier: BSD-2-Clause
// What the description requires of this machine: a domain whose needs cannot be met is omitted
// before anything is built, and the others run without it.
#pragma once

#include <root/system.h>

// Omit a domain and its children, and print one line with the reason.
[[gnu::format(printf, 3, 4)]] void needs_omit(
	struct system *system, uint32_t domain, const char *reason, ...);

// Place domains on cores, take interrupts and I/O ports, look for fixed memory and reserve it, try
// budgets and periods. A domain that requests what is not there is omitted.
[[nodiscard]] seL4_Error needs_check(struct system *system);

// Omit domains until the memory is enough for the others.
void needs_fit_memory(struct system *system);
