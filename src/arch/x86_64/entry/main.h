// SPDX-License-Identifier: BSD-2-Clause
// The first C function; boot.asm calls it once.
#pragma once

#include <cpu/percpu.h>

// magic and information are what the multiboot loader passed in EAX and EBX.
enum way_out boot_main(uint32_t magic, uint64_t information);
