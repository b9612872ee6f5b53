// SPDX-License-Identifier: BSD-2-Clause
// A whole machine on the fake host, and an exit at a time, for unit tests.
#pragma once

#include "../check.h"
#include "fake_host.h"

#include <vmm/exits.h>

#include <nacre/protocol/console.h>

enum { RAM = 64 << 20, CODE = 0x100000, STACK = 0x200000 };

#define PROTECTION_FAULT (VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION | VCPU_EVENT_ERROR_CODE | 13)
#define INVALID_OPCODE (VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION | 6)

extern struct machine machine;
extern struct vcpu *const vcpu; // of its first processor
extern struct lapic *const lapic;
extern struct console console;
extern struct console_end driver; // the serial driver's side of it
extern struct console_end peer; // the component at the second serial port

// What a test adds to the description of the next machine, or null.
extern void (*rig_describe)(void);
// A machine that was just started, its guest about to run at CODE with interrupts on.
void rig_fresh(void);
void rig_free(void);
// One exit, and one notification, as main.c handles them.
void leave(enum vcpu_exit_reason reason);
void notify(unsigned channel);
void wrmsr(uint32_t number, uint64_t value);
void port(uint16_t number, uint64_t qualification, uint64_t rax);
// The event for the next VM entry.
uint64_t event(void);
// Whether the guest's console showed the text since clear_log, and how much it showed.
bool log_has(const char *text);
size_t log_length(void);
void clear_log(void);
