// SPDX-License-Identifier: BSD-2-Clause
// What AMD-V keeps of a guest beside the control block. Values are as VT-x has them.
#pragma once

#include <stdint.h>

enum svm_step {
	STEP_WINDOW = 1 << 0, // the guest runs one instruction, then NMIs can come
	STEP_IRET = 1 << 1, // the next instruction is the IRET that ends blocking by NMI
};

struct svm_guest {
	uint64_t block; // physical address of vmcb
	struct vmcb *vmcb;
	uint64_t asid; // generation and number (svm.c)

	uint8_t is_nmi_blocked; // until the guest's IRET
	uint8_t steps; // enum svm_step
	uint8_t is_virtual; // the event to inject is a virtual interrupt
	uint8_t rip_advance; // of an event to inject, to be undone if it is not delivered
	uint32_t primary, secondary, exceptions; // controls as the client sees them
	uint32_t event, event_error, event_length; // the next entry delivers it
	uint32_t instruction_length, instruction_error; // of the last exit
	uint64_t cr0_mask, cr4_mask, cr0_shadow, cr4_shadow, tsc_aux;
	uint64_t dr6; // before a step
	uint64_t iret_rip; // of STEP_IRET
};

// Forgets all guest-physical and guest-linear translations of this core (svm.c).
void svm_invalidate(void);
