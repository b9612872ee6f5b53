// SPDX-License-Identifier: BSD-2-Clause
// What Intel's units report of a device whose faults come faster than they are cleared.
#pragma once

#include "../rows.h"

extern const struct tests vtd_tests;
