// SPDX-License-Identifier: BSD-2-Clause
// Machine checks: errors that the hardware found, by bank (SDM 3B, chapter 16; APM 2, chapter 9).
#pragma once

// Prints and clears what firmware left in the banks and switches all errors on. Exceptions are
// caught already. Once a core.
void machine_check_init(void);

// The end, with every bank that holds an error: for vector 18, and for VM exits that say the same.
[[gnu::noreturn]] void machine_check_panic(void);
