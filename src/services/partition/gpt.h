// SPDX-License-Identifier: BSD-2-Clause
// Header and entries of a GPT (UEFI 2.10, 5.3.2 and 5.3.3).
#pragma once

#include <services/partition/table.h>

// False when the header of that sector is damaged, or what it says cannot be on such a disk.
[[nodiscard]] bool gpt_header_read(
	const uint8_t *sector, uint64_t here, uint64_t disk, struct gpt_header *header);

[[nodiscard]] bool gpt_entries_are_whole(const struct gpt_header *header, const uint8_t *entries);

// All but the partition's number; false for an entry that is not used, or lies outside of what the
// header allows.
[[nodiscard]] bool gpt_entry_read(
	const struct gpt_header *header, const uint8_t *entry, struct partition *partition);
