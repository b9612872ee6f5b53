// SPDX-License-Identifier: BSD-2-Clause
// Page tables in spaces.
#pragma once

#include <cap/cap.h>

// Puts a table into a new space and records that in the capability. Everything above must be there.
void table_attach(struct cap *table, const struct cap *root, uint64_t address);
