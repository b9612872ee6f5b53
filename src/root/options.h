// SPDX-License-Identifier: BSD-2-Clause
// Boot options that are the initial task's: the kernel passes their values on in bootinfo.
#pragma once

#include <abi/bootinfo.h>

#include <sel4/sel4.h>

// What the options say; without the kernel's word what is said without options.
struct bootinfo_options options_of(const seL4_BootInfo *bootinfo);
