// SPDX-License-Identifier: BSD-2-Clause
// Time domains: which threads belong to which, and the schedule of when each domain runs.
#pragma once

#include <root/system.h>

// Put threads into their time domains. If the kernel has too few, a line says so when that is done
// first, and everything runs in one.
[[nodiscard]] seL4_Error time_domains_assign(struct system *system, bool first);

// Load the schedule and switch to its first slice.
[[nodiscard]] seL4_Error time_domains_start(struct system *system);
