// SPDX-License-Identifier: BSD-2-Clause
// What the initial task makes before it builds the system, to find out about the machine.
#pragma once

// Delete all of it, whatever it is: slots, memory and tables are as the kernel gave them.
void scratch_end(void);
