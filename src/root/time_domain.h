// SPDX-License-Identifier: BSD-2-Clause
// Time domains: which threads belong to which, and the schedule of when each domain runs.
#pragma once

#include <root/system.h>

// Find whether the kernel has them. If it has too few, a line says so, and everything runs in one.
void time_domains_find(struct system *system);

// Put threads into their time domains.
[[nodiscard]] seL4_Error time_domains_assign(const struct system *system);

// Load the schedule and switch to its first slice.
[[nodiscard]] seL4_Error time_domains_start(struct system *system);
