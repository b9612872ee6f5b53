// SPDX-License-Identifier: BSD-2-Clause
// The watchdog is a helper thread whose objects outlive the tests.
#pragma once

#include "world.h"

struct helper *helper_make_watchdog(uint64_t tcb, uint64_t sched_context);
