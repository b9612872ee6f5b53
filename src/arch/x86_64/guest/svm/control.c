// SPDX-License-Identifier: BSD-2-Clause
// What exits: from VT-x's controls, masks and exception bitmap to the bits of the control block
// (APM 2 15.9, 15.11 to 15.14).
#include <guest/svm/internal.h>

#define WORD(code) ((code) / 32)
#define INTERCEPT(code) (1u << (code) % 32)
// All of a range within one word.
#define INTERCEPT_RANGE(first, last) (UINT32_MAX << (first) % 32 & UINT32_MAX >> (31 - (last) % 32))

// What the kernel's safety demands, and exits that VT-x has without a control. CR4: some bits bring
// state that is not switched. #DB and #AC may come again in their own delivery for ever, and a
// machine check is the host's. WBINVD would hold interrupts back.
static const uint32_t always[SVM_INTERCEPTS / 32] = {
	[WORD(SVM_EXIT_READ_CR0)] = INTERCEPT(SVM_EXIT_READ_CR0 + 8) |
		INTERCEPT(SVM_EXIT_WRITE_CR0 + 4) | INTERCEPT(SVM_EXIT_WRITE_CR0 + 8),
	[WORD(SVM_EXIT_EXCEPTION)] = INTERCEPT(SVM_EXIT_EXCEPTION + VECTOR_DEBUG) |
		INTERCEPT(SVM_EXIT_EXCEPTION + VECTOR_ALIGNMENT) |
		INTERCEPT(SVM_EXIT_EXCEPTION + VECTOR_MACHINE_CHECK),
	[WORD(SVM_EXIT_INTERRUPT)] = INTERCEPT(SVM_EXIT_INTERRUPT) | INTERCEPT(SVM_EXIT_NMI) |
		INTERCEPT(SVM_EXIT_INIT) | INTERCEPT(SVM_EXIT_CPUID) | INTERCEPT(SVM_EXIT_RSM) |
		INTERCEPT(SVM_EXIT_INVD) | INTERCEPT_RANGE(SVM_EXIT_INVLPGA, SVM_EXIT_SHUTDOWN),
	[WORD(SVM_EXIT_VMRUN)] = INTERCEPT_RANGE(SVM_EXIT_VMRUN, SVM_EXIT_SKINIT) |
		INTERCEPT(SVM_EXIT_WBINVD) | INTERCEPT(SVM_EXIT_XSETBV),
};

// Controls with the exits that they switch on.
static const struct {
	uint64_t control;
	uint8_t first, last;
} rows[] = {
	{VCPU_EXITS_HLT, SVM_EXIT_HLT, SVM_EXIT_HLT},
	{VCPU_EXITS_INVLPG, SVM_EXIT_INVLPG, SVM_EXIT_INVLPG},
	{VCPU_EXITS_MWAIT, SVM_EXIT_MWAIT, SVM_EXIT_MWAIT},
	{VCPU_EXITS_RDPMC, SVM_EXIT_RDPMC, SVM_EXIT_RDPMC},
	{VCPU_EXITS_RDTSC, SVM_EXIT_RDTSC, SVM_EXIT_RDTSC},
	{VCPU_EXITS_RDTSC, SVM_EXIT_RDTSCP, SVM_EXIT_RDTSCP},
	{VCPU_EXITS_CR3_LOAD, SVM_EXIT_WRITE_CR0 + 3, SVM_EXIT_WRITE_CR0 + 3},
	{VCPU_EXITS_CR3_STORE, SVM_EXIT_READ_CR0 + 3, SVM_EXIT_READ_CR0 + 3},
	{VCPU_EXITS_DEBUG_REGISTER, SVM_EXIT_READ_DR0, SVM_EXIT_WRITE_DR0 + 15},
	{VCPU_EXITS_MONITOR, SVM_EXIT_MONITOR, SVM_EXIT_MONITOR},
	{VCPU_EXITS_PAUSE, SVM_EXIT_PAUSE, SVM_EXIT_PAUSE},
	{VCPU_EXITS_DESCRIPTOR_TABLE, SVM_EXIT_READ_IDTR, SVM_EXIT_WRITE_TR},
};

void svm_intercept(struct vmcb *vmcb, unsigned code, bool exits) {
	if (exits)
		vmcb->intercepts[WORD(code)] |= INTERCEPT(code);
	else
		vmcb->intercepts[WORD(code)] &= ~INTERCEPT(code);
	vmcb->clean = 0;
}

// A guest could take an interrupt: a virtual one is pending whose delivery exits.
static void window_set(const struct svm_guest *svm) {
	bool is_open = svm->primary & PRIMARY_INTERRUPT_WINDOW;

	svm->vmcb->interrupt = VMCB_VIRTUAL_MASKING | (is_open ? VMCB_VIRTUAL_NOW : 0);
	svm_intercept(svm->vmcb, SVM_EXIT_VINTR, is_open);
}

// The guest reads its own bits where they are what the client shows.
void svm_set_masks(struct guest *guest) {
	const struct svm_guest *svm = &guest->svm;
	const uint64_t selective = ~(CR0_TS | CR0_MP);
	struct vmcb *vmcb = svm->vmcb;

	svm_intercept(vmcb, SVM_EXIT_READ_CR0, (vmcb->cr0 ^ svm->cr0_shadow) & svm->cr0_mask);
	svm_intercept(vmcb, SVM_EXIT_READ_CR0 + 4, (vmcb->cr4 ^ svm->cr4_shadow) & svm->cr4_mask);
	svm_intercept(vmcb, SVM_EXIT_WRITE_CR0, svm->cr0_mask & ~selective);
	svm_intercept(vmcb, SVM_EXIT_CR0_SELECTIVE, svm->cr0_mask & selective);
}

// AMD-V has one bit for blocking by STI and MOV SS, and none for NMIs but with V_NMI, which ends
// without an exit: the guest's IRET exits.
uint32_t svm_blocking(const struct guest *guest) {
	return (guest->svm.vmcb->interrupt_shadow & 1 ? INTERRUPTIBILITY_STI : 0u) |
		(guest->svm.is_nmi_blocked ? INTERRUPTIBILITY_NMI : 0u);
}

void svm_block_nmi(struct guest *guest, bool blocked) {
	guest->svm.is_nmi_blocked = blocked;
	guest->svm.steps &= ~STEP_IRET;
	svm_intercept(guest->svm.vmcb, SVM_EXIT_IRET, blocked);
}

void svm_set_intercepts(struct guest *guest) {
	struct svm_guest *svm = &guest->svm;
	uint32_t *words = svm->vmcb->intercepts;
	uint64_t controls = svm->primary | (uint64_t)svm->secondary << 32;

	memcpy(words, always, sizeof(always));
	for (unsigned i = 0; i < array_count(rows); i++)
		if (rows[i].control & controls)
			words[WORD(rows[i].first)] |= INTERCEPT_RANGE(rows[i].first, rows[i].last);
	words[WORD(SVM_EXIT_EXCEPTION)] |= svm->exceptions;
	if (svm->exceptions >> VECTOR_DEBUG & 1)
		words[WORD(SVM_EXIT_ICEBP)] |= INTERCEPT(SVM_EXIT_ICEBP);
	svm_set_masks(guest);
	window_set(svm);
	svm_block_nmi(guest, svm->is_nmi_blocked);
}

uint32_t svm_set_primary(struct guest *guest, uint64_t value) {
	const uint32_t windows = PRIMARY_INTERRUPT_WINDOW | PRIMARY_NMI_WINDOW;
	uint32_t before = guest->svm.primary;

	guest->svm.primary = ((uint32_t)value & SVM_PRIMARY_MAY) | SVM_PRIMARY_MUST;
	if ((before ^ guest->svm.primary) & ~windows)
		svm_set_intercepts(guest);
	else if (before != guest->svm.primary)
		window_set(&guest->svm);
	return guest->svm.primary;
}
