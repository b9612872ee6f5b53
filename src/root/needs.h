// SPDX-License-Identifier: BSD-2-Clause
// What the description asks of this machine: a domain whose needs it cannot meet is left out before
// anything is built, and the rest runs without it.
#pragma once

#include <root/system.h>

// Leave a domain and its children out; one line says so and gives the reason.
[[gnu::format(printf, 3, 4)]] void needs_omit(
	struct system *system, uint32_t domain, const char *reason, ...);

// Take interrupts and I/O ports, look for fixed memory and keep it, try budgets and periods.
// Whoever asks for what is not there is left out.
[[nodiscard]] seL4_Error needs_check(struct system *system);

// Leave domains out until the memory is enough for the others.
void needs_fit_memory(struct system *system);
