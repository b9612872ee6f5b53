// SPDX-License-Identifier: BSD-2-Clause
// Time-outs of the machine.
#pragma once

#include <vmm/machine.h>

// Has the CPU's timer, or the timer driver, wake the monitor for what is due next.
void wake_arm(struct machine *machine);
