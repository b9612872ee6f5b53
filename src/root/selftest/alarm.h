// SPDX-License-Identifier: BSD-2-Clause
// A thread that wakes this one a while after it was started. Like all waiting of the initial task
// it is by a scheduling context whose budget is used up.
#pragma once

#include <root/selftest/selftest.h>

enum { ALARM_PERIOD = 2000 }; // microseconds

// Signals the notification capability each time.
[[nodiscard]] bool alarm_make(const seL4_BootInfo *bootinfo, seL4_CPtr signal);

// Start it, unless it is started, to signal once a period from now.
void alarm_start(void);

// Its signal came.
void alarm_taken(void);

// Ticks of the TSC that the thread slept while this one, of a lower priority, was spinning; 0: it
// did not wake up.
uint64_t alarm_measure(void);

// Ticks of the TSC in a second, as the kernel says, and in a microsecond, rounded.
uint64_t alarm_hertz(void);
uint64_t alarm_ticks(void);
