// SPDX-License-Identifier: BSD-2-Clause
// Pages of the system: frames made, filled from the image and mapped where the records say.
#pragma once

#include <root/system.h>

// What the system needs for pages, domains that are omitted not counted.
struct pages_demand {
	seL4_Word bytes; // of RAM
	seL4_Word large; // frames of 2 MiB among them
};

struct pages_demand pages_needed(const struct system *system);

// Make the CNode that keeps the frame capabilities.
[[nodiscard]] seL4_Error pages_init(struct system *system);

// Program segments, stack and IPC buffer of a domain.
[[nodiscard]] seL4_Error pages_build_domain(struct system *system, uint32_t index);

// Memory regions, with all their mappings.
[[nodiscard]] seL4_Error pages_build_regions(struct system *system);
