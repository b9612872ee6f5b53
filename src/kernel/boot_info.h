// SPDX-License-Identifier: BSD-2-Clause
// The chunks of extra bootinfo (bootinfo.md 3).
#pragma once

#include <kernel/boot.h>

// Bytes of all chunks.
uint64_t boot_info_extra_size(const struct boot_facts *facts);

// Writes them to cleared memory of that many bytes.
void boot_info_write_extra(const struct boot_facts *facts, void *memory);
