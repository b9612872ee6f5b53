// SPDX-License-Identifier: BSD-2-Clause
// Tables and frames in spaces.
#pragma once

#include <cap/cap.h>

// Puts a table, or a frame with all its rights, into a new space and records that in the
// capability. Everything above must be there.
void mapping_attach(struct cap *cap, const struct cap *root, uint64_t address);
