// SPDX-License-Identifier: BSD-2-Clause
// Which build of the kernel this is.
#pragma once

#include <stdbool.h>

#include <sel4/sel4.h>

// Whether the kernel answers debug calls. In a release build each of them is a fault, so this is
// found out by a thread made for the purpose.
[[nodiscard]] bool probe_debug_calls(const seL4_BootInfo *bootinfo);
