// SPDX-License-Identifier: BSD-2-Clause
// What the initial task makes of every protection domain and the domain's library relies on, beside
// the slots of <microkit.h>. The composer reads these numbers for its report.
#pragma once

enum {
	BADGE_CALL_BIT = 63, // a call over a channel, whose id is in the low bits
	BADGE_FAULT_BIT = 62, // a fault of the child in the low bits
	DOMAIN_CNODE_BITS = 9, // of the main CNode
	DOMAIN_SCHED_CONTEXT_BITS = 8,
	DOMAIN_VCPU_STATE_CAP = 9, // slot with the frame of the state page, in a guest's monitor
};

#define DOMAIN_STACK_TOP 0x7fffffffd000ul
#define DOMAIN_VCPU_STATE 0x7fffffffd000ul // state page of the guest that the domain monitors
#define DOMAIN_IPC_BUFFER 0x7fffffffe000ul
