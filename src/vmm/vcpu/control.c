// SPDX-License-Identifier: BSD-2-Clause
// Control registers: what MOV to CR answers with #GP (SDM 2A MOV, 3A 4.4.1 and 10.8.5), and the
// bits that VMX fixes (3C 23.8). The CPU has checked nothing of a write that exits.
#include <vmm/vcpu/control.h>

#include <base/xcr0.h>

enum { TYPE_TSS_32_BUSY = 0xb };

#define CR0_STATUS (CR0_MP | CR0_EM | CR0_TS) // what LMSW sets and clears; PE it only sets
#define CR0_DEFINED (0x3fu | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR0_OWNED (CR0_NE | CR0_CD | CR0_NW)
#define CR0_LOADS_DIRECTORY (CR0_PG | CR0_CD | CR0_NW)
#define CR4_LOADS_DIRECTORY (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP)
#define CR3_PCID 0xfffull
#define DIRECTORY_PRESENT 1ull
#define DIRECTORY_RESERVED 0x1e6ull

// Where paging is PAE paging, some writes load the four directory pointers.
static bool read_directory(const struct control *control, uint64_t cr3, struct paging *paging) {
	struct guest_physical at = guest_physical(cr3 & CR3_PAE_BASE);
	uint64_t reserved = DIRECTORY_RESERVED | UINT64_MAX << control->memory->address_bits;

	if (!memory_read(control->memory, at, paging->directory, sizeof(paging->directory)))
		return false;
	for (unsigned i = 0; i < PAGING_DIRECTORY; i++)
		if ((paging->directory[i] & DIRECTORY_PRESENT) && (paging->directory[i] & reserved))
			return false;
	return true;
}

static void write_directory(struct vcpu *vcpu, const struct paging *paging) {
	struct vcpu_state_page *page = vcpu_replace(vcpu, VCPU_GROUP_PDPTES);

	for (unsigned i = 0; i < PAGING_DIRECTORY; i++)
		page->pdpte[i] = paging->directory[i];
}

// With EFER.LME set, paging starts only from a 32-bit segment, with PAE and a 32-bit TSS.
static bool may_start_paging(const struct paging *now, const struct vcpu *vcpu) {
	const struct vcpu_segment *segments =
		vcpu_view(vcpu, VCPU_GROUP_CODE | VCPU_GROUP_SYSTEM)->segments;

	if (!(now->efer & EFER_LME)) return true;
	if (!(now->cr4 & CR4_PAE) || (segments[VCPU_CS].attributes & VCPU_SEGMENT_CODE_64))
		return false;
	return (segments[VCPU_TR].attributes & VCPU_SEGMENT_TYPE) == TYPE_TSS_32_BUSY;
}

static bool may_stop_paging(const struct paging *now, const struct vcpu *vcpu) {
	return !(now->cr4 & CR4_PCIDE) && !vcpu_in_64_bit_mode(vcpu);
}

static bool write_cr0(const struct control *control, struct vcpu *vcpu, uint64_t value) {
	struct paging now = vcpu_paging(vcpu);
	struct vcpu_state_page *page = vcpu_edit(vcpu, VCPU_GROUP_PAGING | VCPU_GROUP_MASKS);
	uint64_t owned = page->cr0_shadow & CR0_OWNED;
	uint64_t changed = value ^ ((now.cr0 & ~(uint64_t)CR0_OWNED) | owned);
	bool paging = value & CR0_PG;
	bool directory = paging && !(now.efer & EFER_LME) && (now.cr4 & CR4_PAE) &&
		(changed & CR0_LOADS_DIRECTORY);

	if (value >> 32 != 0) return false;
	if ((paging && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD))) return false;
	if ((changed & CR0_PG) &&
		!(paging ? may_start_paging(&now, vcpu) : may_stop_paging(&now, vcpu)))
		return false;
	if (directory && !read_directory(control, now.cr3, &now)) return false;
	if (directory) write_directory(vcpu, &now);
	// Paging is switched together with bits the VMM owns, so the CPU left the mode to us.
	page->efer &= ~(uint64_t)EFER_LMA;
	page->efer |= paging && (now.efer & EFER_LME) ? EFER_LMA : 0;
	page->cr0_shadow = (value & CR0_DEFINED) | CR0_ET;
	// The guest believes its cache bits; NE is what VMX demands.
	page->cr0 = (page->cr0_shadow & ~(uint64_t)CR0_OWNED) | CR0_NE;
	return true;
}

// Exits for MCE and for bits the guest does not have.
static bool write_cr4(const struct control *control, struct vcpu *vcpu, uint64_t value) {
	struct paging now = vcpu_paging(vcpu);
	struct vcpu_state_page *page = vcpu_edit(vcpu, VCPU_GROUP_PAGING | VCPU_GROUP_MASKS);
	uint64_t changed = value ^ now.cr4;
	bool long_mode = now.efer & EFER_LMA;
	bool directory = (now.cr0 & CR0_PG) && !long_mode && (value & CR4_PAE) &&
		(changed & CR4_LOADS_DIRECTORY);

	if (value & ~control->cr4_allowed) return false;
	if (long_mode && !(value & CR4_PAE)) return false;
	if ((value & changed & CR4_PCIDE) && (!long_mode || (now.cr3 & CR3_PCID))) return false;
	if (directory && !read_directory(control, now.cr3, &now)) return false;
	if (directory) write_directory(vcpu, &now);
	page->cr4_shadow = value;
	page->cr4 = value | CR4_MCE;
	return true;
}

static bool move_to(
	const struct control *control, struct vcpu *vcpu, unsigned number, uint64_t value) {
	// The upper half of a register is no part of the operand elsewhere.
	if (value >> 32 != 0 && !vcpu_in_64_bit_mode(vcpu)) value &= UINT32_MAX;
	switch (number) {
	case 0: return write_cr0(control, vcpu, value);
	case 4: return write_cr4(control, vcpu, value);
	case 8:
		if (value > 0xf) return false;
		control->lapic->task_priority = (uint32_t)value << 4;
		return true;
	default: return false;
	}
}

// Of bits that are the VMM's, the shadow. VT-x does that without an exit.
uint64_t control_cr0(const struct vcpu *vcpu) {
	const struct vcpu_state_page *page = vcpu_view(vcpu, VCPU_GROUP_PAGING | VCPU_GROUP_MASKS);

	return (page->cr0 & ~page->cr0_mask) | (page->cr0_shadow & page->cr0_mask);
}

static bool move_from(
	const struct control *control, struct vcpu *vcpu, unsigned general, unsigned number) {
	const struct vcpu_state_page *page = vcpu_view(vcpu, VCPU_GROUP_PAGING | VCPU_GROUP_MASKS);
	uint64_t value;

	switch (number) {
	case 0: value = control_cr0(vcpu); break;
	case 2: value = vcpu_view(vcpu, VCPU_GROUP_CR2)->cr2; break;
	case 3: value = page->cr3; break;
	case 4: value = (page->cr4 & ~page->cr4_mask) | (page->cr4_shadow & page->cr4_mask); break;
	case 8: value = control->lapic->task_priority >> 4; break;
	default: return false;
	}
	vcpu_set_register(vcpu, general, value);
	return true;
}

// CLTS and LMSW exit with AMD-V only: with VT-x the guest owns the bits they change.
static bool control_access(const struct control *control, struct vcpu *vcpu) {
	uint64_t qualification = vcpu->page->qualification;
	unsigned number = qualification & VCPU_CR_NUMBER;
	unsigned general = qualification >> VCPU_CR_GENERAL_SHIFT & 0xf;
	uint64_t source = qualification >> VCPU_CR_LMSW_SHIFT & (CR0_STATUS | CR0_PE);

	switch ((enum control_access)(qualification >> VCPU_CR_ACCESS_SHIFT & 3)) {
	case ACCESS_MOVE_TO: return move_to(control, vcpu, number, vcpu_register(vcpu, general));
	case ACCESS_MOVE_FROM: return move_from(control, vcpu, general, number);
	case ACCESS_CLTS: return write_cr0(control, vcpu, control_cr0(vcpu) & ~(uint64_t)CR0_TS);
	case ACCESS_LMSW:
		return write_cr0(
			control, vcpu, (control_cr0(vcpu) & ~(uint64_t)CR0_STATUS) | source);
	}
	return false;
}

void control_register_exit(const struct control *control, struct vcpu *vcpu) {
	if (control_access(control, vcpu))
		vcpu_advance(vcpu, vcpu->page->instruction_length);
	else
		vcpu_raise_with_code(vcpu, VECTOR_PROTECTION, 0);
}

void control_xsetbv_exit(struct vcpu *vcpu) {
	const uint64_t *registers = vcpu->page->registers;
	uint64_t value = registers[X86_RDX] << 32 | (uint32_t)registers[X86_RAX];

	// AMD-V lets the instruction exit before it looks at the privilege.
	if (vcpu_privilege(vcpu) != 0 || (uint32_t)registers[X86_RCX] ||
		!xcr0_is_valid(value, vcpu->page->xcr0_offered)) {
		vcpu_raise_with_code(vcpu, VECTOR_PROTECTION, 0);
		return;
	}
	vcpu_replace(vcpu, VCPU_GROUP_XCR0)->xcr0 = value;
	vcpu_advance(vcpu, vcpu->page->instruction_length);
}
