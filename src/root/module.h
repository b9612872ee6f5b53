// SPDX-License-Identifier: BSD-2-Clause
// Boot modules: memory the boot loader filled, mapped read-only in the initial task.
#pragma once

#include <user/root/root.h>

// Map the first boot module. On failure prints one line and returns null.
[[nodiscard]] const void *module_map(const seL4_BootInfo *bootinfo, seL4_Word *size);
