// SPDX-License-Identifier: BSD-2-Clause
// Where tools/compose/bundle.py puts a system image that is packed into the initial task's own ELF.
#pragma once

#include <stdint.h>

struct bundle {
	uint64_t address;
	uint64_t size; // 0: the image is a separate boot module
};

// Written by the composer only.
extern struct bundle system_bundle;
