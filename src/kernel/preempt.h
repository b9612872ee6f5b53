// SPDX-License-Identifier: BSD-2-Clause
// The preemption point: long work asks here whether an interrupt is waiting.
#pragma once

#include <stdbool.h>

// True if the present work should stop: an interrupt is pending on this core. Looks at the hardware
// only every few calls, so it may stand in inner loops.
bool preempt_wanted(void);
