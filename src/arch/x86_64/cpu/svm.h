// SPDX-License-Identifier: BSD-2-Clause
// What AMD-V of this CPU has.
#pragma once

#include <stdint.h>

// Written by svm_init at boot.
struct svm {
	uint32_t features; // enum svm_feature
	uint32_t asids;
	uint64_t cr4; // what a guest may have there
};
