// SPDX-License-Identifier: BSD-2-Clause
// A guest in real mode.
#pragma once

#include <stdint.h>

// An EPT space with tables down to 4 KiB at guest-physical 0; also without VT-x.
uint64_t guest_space_new(void);
void guest_page_map(uint64_t frame, uint64_t space, uint64_t address);
// The thread becomes the virtual CPU's; segments are flat from 0.
void guest_reset(uint64_t vcpu, uint64_t tcb, uint64_t space);
