// SPDX-License-Identifier: BSD-2-Clause
// The configuration user programs see: one kernel, one set of choices. Build scripts of others grep
// the CONFIG_SEL4_ARCH line and count blanks, so each name is followed by two.
#pragma once

// clang-format off
#define CONFIG_ARCH_X86  1
#define CONFIG_ARCH_X86_64  1
#define CONFIG_SEL4_ARCH  x86_64
#define CONFIG_SEL4_ARCH_X86_64  1
#define CONFIG_ARCH  x86
#define CONFIG_WORD_SIZE  64
#define CONFIG_PLAT_PC99  1
#define CONFIG_PLAT  pc99
#define CONFIG_KERNEL_MCS  1
#define CONFIG_VTX  1
#define CONFIG_X86_64_VTX_64BIT_GUESTS  1
#define CONFIG_IOMMU  1
#define CONFIG_HUGE_PAGE  1
#define CONFIG_FSGSBASE_INST  1
#define CONFIG_SYSCALL  1
#define CONFIG_XSAVE  1
#define CONFIG_MAX_NUM_NODES  1
#define CONFIG_NUM_DOMAINS  1
#define CONFIG_NUM_PRIORITIES  256
#define CONFIG_ROOT_CNODE_SIZE_BITS  12
#define CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS  230
#define CONFIG_KERNEL_STATIC_MAX_PERIOD_US  0
#define CONFIG_PRINTING  1
#define CONFIG_DEBUG_BUILD  1
// clang-format on
