// SPDX-License-Identifier: BSD-2-Clause
// Between the files of this engine.
#pragma once

#include <guest/field.h>

// VT-x's controls that there are here, and those that are always on (VCPU-17).
#define SVM_PRIMARY_MUST \
	(PRIMARY_SECONDARY | PRIMARY_TSC_OFFSETTING | PRIMARY_IO_BITMAPS | PRIMARY_MSR_BITMAPS | \
		PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE)
#define SVM_PRIMARY_MAY \
	(SVM_PRIMARY_MUST | PRIMARY_INTERRUPT_WINDOW | PRIMARY_NMI_WINDOW | PRIMARY_HLT | \
		PRIMARY_INVLPG | PRIMARY_MWAIT | PRIMARY_RDPMC | PRIMARY_RDTSC | \
		PRIMARY_CR3_LOAD | PRIMARY_CR3_STORE | PRIMARY_MOV_DR | PRIMARY_MONITOR | \
		PRIMARY_PAUSE | PRIMARY_UNCONDITIONAL_IO)
#define SVM_SECONDARY_MUST \
	(SECONDARY_EPT | SECONDARY_VPID | SECONDARY_RDTSCP | SECONDARY_UNRESTRICTED | \
		SECONDARY_WBINVD | SECONDARY_INVPCID | SECONDARY_XSAVES)
#define SVM_SECONDARY_MAY (SVM_SECONDARY_MUST | SECONDARY_DESCRIPTOR_TABLE)

// A number for the guest's translations from now on.
void svm_assign_asid(struct guest *guest);

// What exits (control.c): all anew, by CR0 and CR4, by one code; what keeps events back.
void svm_set_intercepts(struct guest *guest);
void svm_set_masks(struct guest *guest);
uint32_t svm_set_primary(struct guest *guest, uint64_t value); // returns what it became
void svm_intercept(struct vmcb *vmcb, unsigned code, bool exits);
void svm_block_nmi(struct guest *guest, bool blocked);
[[nodiscard]] uint32_t svm_blocking(const struct guest *guest); // VT-x's interruptibility

// The last exit in VT-x's terms (exit.c).
[[nodiscard]] uint32_t svm_reason(const struct vmcb *vmcb);
[[nodiscard]] uint64_t svm_qualification(const struct vmcb *vmcb, uint64_t reason);
[[nodiscard]] uint32_t svm_instruction_length(const struct vmcb *vmcb);
[[nodiscard]] uint32_t svm_instruction_information(const struct vmcb *vmcb);
[[nodiscard]] uint32_t svm_exception(const struct vmcb *vmcb);
[[nodiscard]] uint32_t svm_interrupted(const struct vmcb *vmcb);

// Events (event.c). svm_events_exit: true if the guest took the step after which NMIs can come.
// svm_iret: the exit is that of the IRET that ends blocking by NMI.
// svm_take_exception: true if the exit is none for the monitor.
[[nodiscard]] bool svm_event_is_valid(uint32_t event);
void svm_events_enter(struct guest *guest);
[[nodiscard]] bool svm_events_exit(struct guest *guest, bool entered);
void svm_inject_again(struct guest *guest);
void svm_iret(struct guest *guest);
[[nodiscard]] bool svm_take_exception(struct guest *guest);

// The rest of the engine's row.
[[nodiscard]] bool svm_init(void);
[[nodiscard]] bool svm_unlock(void); // false: the firmware has locked it off
extern const struct guest_field svm_fields[];
uint64_t svm_field_made(const struct guest *guest, uint64_t field, const void *word);
[[nodiscard]] bool svm_field_write(
	struct guest *guest, const struct guest_field *row, uint64_t field, uint64_t value);
