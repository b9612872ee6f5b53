// SPDX-License-Identifier: BSD-2-Clause
// After the start: reports what goes wrong in protection domains.
#pragma once

#include <root/system.h>

[[gnu::noreturn]] void monitor_run(struct system *system);
