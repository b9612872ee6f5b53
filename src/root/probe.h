// SPDX-License-Identifier: BSD-2-Clause
// Whether the kernel is a debug or a release build.
#pragma once

#include <stdbool.h>

#include <sel4/sel4.h>

// Whether the kernel answers debug calls. In a release build each of them is a fault, so a thread
// created for this purpose makes one.
[[nodiscard]] bool probe_debug_calls(const seL4_BootInfo *bootinfo);
