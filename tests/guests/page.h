// SPDX-License-Identifier: BSD-2-Clause
// A state page for the machines of guest.h.
#pragma once

#include <abi/vcpu_state.h>

#include "guest.h"

#define PAGE_ALWAYS (VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS)
#define PAGE_BYTES(member) offsetof(struct vcpu_state_page, member)

extern struct vcpu_state_page *const page;
extern seL4_CPtr page_frame; // mapped at page; null: the next give makes one

// The machine begins with this code and has the page; controls, event and windows are clear.
void page_give(struct guest *machine, const struct code *code);
void page_take(const struct guest *machine);

// Runs; the exit's reason.
uint64_t page_run(void);

// Has groups loaded, but the guest not entered: a signal is pending. The reason.
uint64_t page_load(uint64_t groups);
