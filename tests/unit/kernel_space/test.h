// SPDX-License-Identifier: BSD-2-Clause
// The rows of each file.
#pragma once

#include "../check.h"

#include <base/compiler.h>

extern const struct tests paging_tests;
extern const struct tests mapping_tests;
extern const struct tests guest_tests;
extern const struct tests asid_tests;
extern const struct tests port_tests;
extern const struct tests row_tests;
extern const struct tests stale_tests;
extern const struct tests io_space_tests;
