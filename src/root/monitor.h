// SPDX-License-Identifier: BSD-2-Clause
// After the start: handles the faults of protection domains.
#pragma once

#include <root/system.h>

[[gnu::noreturn]] void monitor_run(struct system *system);
