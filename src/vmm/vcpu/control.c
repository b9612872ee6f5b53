// SPDX-License-Identifier: BSD-2-Clause
// Control registers: what MOV to CR answers with #GP (SDM 2A MOV, 3A 4.4.1 and 10.8.5), and the
// bits that VMX fixes (3C 23.8). The CPU has checked nothing of a write that exits.
#include <vmm/vcpu/control.h>

#include <abi/vcpu.h>

enum qualification_bits {
	QUALIFICATION_REGISTER = 0xf,
	QUALIFICATION_ACCESS_SHIFT = 4,
	QUALIFICATION_GENERAL_SHIFT = 8,
};

enum control_access { ACCESS_MOVE_TO, ACCESS_MOVE_FROM };

enum { SEGMENT_TYPE = 0xf, TYPE_TSS_32_BUSY = 0xb };

#define CR0_DEFINED (0x3fu | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR0_OWNED (CR0_NE | CR0_CD | CR0_NW)
#define CR0_LOADS_DIRECTORY (CR0_PG | CR0_CD | CR0_NW)
#define CR4_LOADS_DIRECTORY (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP)
#define CR3_PCID 0xfffull
#define CR3_PAE_BASE 0xffffffe0ull
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

static void write_directory(const struct paging *paging) {
	for (unsigned i = 0; i < PAGING_DIRECTORY; i++)
		host_vmcs_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i), paging->directory[i]);
}

// With EFER.LME set, paging starts only from a 32-bit segment, with PAE and a 32-bit TSS.
static bool may_start_paging(const struct paging *now) {
	if (!(now->efer & EFER_LME)) return true;
	if (!(now->cr4 & CR4_PAE) || (host_vmcs_read(VMCS_GUEST_CS_ACCESS) & SEGMENT_CODE_64))
		return false;
	return (host_vmcs_read(VMCS_GUEST_TR_ACCESS) & SEGMENT_TYPE) == TYPE_TSS_32_BUSY;
}

static bool may_stop_paging(const struct paging *now, const struct vcpu *vcpu) {
	return !(now->cr4 & CR4_PCIDE) && !vcpu_in_64_bit_mode(vcpu);
}

// Paging is switched together with bits the VMM owns, so the CPU left the mode change to us.
static void switch_long_mode(const struct paging *now, bool paging) {
	uint64_t entry = host_vmcs_read(VMCS_ENTRY_CONTROLS);
	bool on = paging && (now->efer & EFER_LME);
	host_vmcs_write(
		VMCS_GUEST_EFER, on ? now->efer | EFER_LMA : now->efer & ~(uint64_t)EFER_LMA);
	host_vmcs_write(VMCS_ENTRY_CONTROLS,
		on ? entry | ENTRY_LONG_MODE : entry & ~(uint64_t)ENTRY_LONG_MODE);
}

static bool write_cr0(const struct control *control, const struct vcpu *vcpu, uint64_t value) {
	struct paging now = vcpu_paging(vcpu);
	uint64_t owned = host_vmcs_read(VMCS_CR0_SHADOW) & CR0_OWNED;
	uint64_t changed = value ^ ((now.cr0 & ~(uint64_t)CR0_OWNED) | owned);
	bool paging = value & CR0_PG;
	bool directory = paging && !(now.efer & EFER_LME) && (now.cr4 & CR4_PAE) &&
		(changed & CR0_LOADS_DIRECTORY);
	if (value >> 32 != 0) return false;
	if ((paging && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD))) return false;
	if ((changed & CR0_PG) && !(paging ? may_start_paging(&now) : may_stop_paging(&now, vcpu)))
		return false;
	if (directory && !read_directory(control, vcpu->cr3, &now)) return false;
	if (directory) write_directory(&now);
	if (changed & CR0_PG) switch_long_mode(&now, paging);
	value = (value & CR0_DEFINED) | CR0_ET;
	host_vmcs_write(VMCS_CR0_SHADOW, value);
	// The guest believes its cache bits; NE is what VMX demands.
	host_vmcs_write(VMCS_GUEST_CR0, (value & ~(uint64_t)CR0_OWNED) | CR0_NE);
	return true;
}

// Exits for MCE and for bits the guest does not have.
static bool write_cr4(const struct control *control, const struct vcpu *vcpu, uint64_t value) {
	struct paging now = vcpu_paging(vcpu);
	uint64_t changed = value ^ now.cr4;
	bool long_mode = now.efer & EFER_LMA;
	bool directory = (now.cr0 & CR0_PG) && !long_mode && (value & CR4_PAE) &&
		(changed & CR4_LOADS_DIRECTORY);
	if (value & ~control->cr4_allowed) return false;
	if (long_mode && !(value & CR4_PAE)) return false;
	if ((value & changed & CR4_PCIDE) && (!long_mode || (vcpu->cr3 & CR3_PCID))) return false;
	if (directory && !read_directory(control, vcpu->cr3, &now)) return false;
	if (directory) write_directory(&now);
	host_vmcs_write(VMCS_CR4_SHADOW, value);
	host_vmcs_write(VMCS_GUEST_CR4, value | CR4_MCE | CR4_VMXE);
	return true;
}

static bool move_to(struct control *control, struct vcpu *vcpu, unsigned number, uint64_t value) {
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

// CLTS and LMSW do not exit: the guest owns the bits they change.
static bool control_access(struct control *control, struct vcpu *vcpu) {
	unsigned number = vcpu->qualification & QUALIFICATION_REGISTER;
	unsigned general = vcpu->qualification >> QUALIFICATION_GENERAL_SHIFT & 0xf;
	unsigned access = vcpu->qualification >> QUALIFICATION_ACCESS_SHIFT & 3;
	if (access == ACCESS_MOVE_TO)
		return move_to(control, vcpu, number, vcpu_register(vcpu, general));
	if (access != ACCESS_MOVE_FROM || number != 8) return false;
	vcpu_set_register(vcpu, general, control->lapic->task_priority >> 4);
	return true;
}

void control_register_exit(struct control *control, struct vcpu *vcpu) {
	if (control_access(control, vcpu))
		vcpu_advance(vcpu, vcpu->length);
	else
		vcpu_raise_with_code(vcpu, EXCEPTION_GENERAL_PROTECTION, 0);
}

static bool xcr0_valid(const struct control *control, uint64_t value) {
	uint64_t avx512 = value & XCR0_AVX512;
	if (!(value & XCR0_X87) || (value & ~control->xcr0_allowed)) return false;
	if ((value & XCR0_AVX) && !(value & XCR0_SSE)) return false;
	return avx512 == 0 || (avx512 == XCR0_AVX512 && (value & XCR0_AVX));
}

void control_xsetbv_exit(struct control *control, struct vcpu *vcpu) {
	uint32_t number = (uint32_t)vcpu->registers[X86_RCX];
	uint64_t value = (vcpu->registers[X86_RDX] << 32) | (uint32_t)vcpu->registers[X86_RAX];
	if (number != 0 || !xcr0_valid(control, value)) {
		vcpu_raise_with_code(vcpu, EXCEPTION_GENERAL_PROTECTION, 0);
		return;
	}
	control->xcr0 = value;
	host_state_write(VCPU_STATE_XCR0, value);
	vcpu_advance(vcpu, vcpu->length);
}
