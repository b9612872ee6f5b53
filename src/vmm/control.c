// SPDX-License-Identifier: BSD-2-Clause
// Control registers: checks of MOV to CR (SDM volume 3, 2.5, and 23.8 for the bits that VMX fixes).
#include <vmm/control.h>

#include <abi/vcpu.h>

enum qualification_bits {
	QUALIFICATION_REGISTER = 0xf,
	QUALIFICATION_ACCESS_SHIFT = 4,
	QUALIFICATION_GENERAL_SHIFT = 8,
};

enum control_access {
	ACCESS_MOVE_TO,
	ACCESS_MOVE_FROM,
	ACCESS_CLTS,
	ACCESS_LMSW,
};

enum { CODE_LONG = 1 << 13 };

enum { LMSW_BITS = 0xf, LMSW_SOURCE_SHIFT = 16, PAE_DIRECTORY_ENTRIES = 4 };

#define CR0_DEFINED (0x3fu | CR0_WP | 1u << 18 | CR0_NW | CR0_CD | CR0_PG)
#define CR0_OWNED (CR0_NE | CR0_CD | CR0_NW)
#define CR3_PCID 0xfffull
#define CR3_PAE_BASE 0xffffffe0ull

// Turning paging on outside long mode loads the four directory pointers (SDM volume 3, 26.3.2.4).
static bool load_directory_pointers(const struct control *control, const struct vcpu *vcpu) {
	for (unsigned i = 0; i < PAE_DIRECTORY_ENTRIES; i++) {
		uint64_t entry;
		struct guest_physical at = guest_physical((vcpu->cr3 & CR3_PAE_BASE) + 8 * i);
		if (!memory_read(control->memory, at, &entry, sizeof(entry))) return false;
		host_vmcs_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i), entry);
	}
	return true;
}

// Paging is switched together with bits the VMM owns, so the CPU left the mode change to us.
static bool switch_paging(const struct control *control, const struct vcpu *vcpu, uint64_t value) {
	uint64_t efer = host_vmcs_read(VMCS_GUEST_EFER);
	uint64_t entry = host_vmcs_read(VMCS_ENTRY_CONTROLS);
	bool pae = host_vmcs_read(VMCS_GUEST_CR4) & CR4_PAE;
	if (!(value & CR0_PG)) {
		if ((efer & EFER_LMA) && (host_vmcs_read(VMCS_GUEST_CS_ACCESS) & CODE_LONG))
			return false;
		host_vmcs_write(VMCS_GUEST_EFER, efer & ~(uint64_t)EFER_LMA);
		host_vmcs_write(VMCS_ENTRY_CONTROLS, entry & ~(uint64_t)ENTRY_LONG_MODE);
		return true;
	}
	if (!(efer & EFER_LME)) return !pae || load_directory_pointers(control, vcpu);
	if (!pae) return false;
	host_vmcs_write(VMCS_GUEST_EFER, efer | EFER_LMA);
	host_vmcs_write(VMCS_ENTRY_CONTROLS, entry | ENTRY_LONG_MODE);
	return true;
}

static bool write_cr0(const struct control *control, const struct vcpu *vcpu, uint64_t value) {
	uint64_t before = host_vmcs_read(VMCS_GUEST_CR0);
	bool paging = value & CR0_PG;
	if (value >> 32 != 0) return false;
	if ((paging && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD))) return false;
	if (((value ^ before) & CR0_PG) && !switch_paging(control, vcpu, value)) return false;
	value = (value & CR0_DEFINED) | CR0_ET;
	host_vmcs_write(VMCS_CR0_SHADOW, value);
	// The guest believes its cache bits; NE is what VMX demands.
	host_vmcs_write(VMCS_GUEST_CR0, (value & ~(uint64_t)CR0_OWNED) | CR0_NE);
	return true;
}

// Exits for MCE and for bits the guest does not have; the CPU has checked nothing then.
static bool write_cr4(const struct control *control, const struct vcpu *vcpu, uint64_t value) {
	uint64_t before = host_vmcs_read(VMCS_GUEST_CR4);
	bool long_mode = host_vmcs_read(VMCS_GUEST_EFER) & EFER_LMA;
	bool paging = host_vmcs_read(VMCS_GUEST_CR0) & CR0_PG;
	if (value & ~control->cr4_allowed) return false;
	if (long_mode && !(value & CR4_PAE)) return false;
	if ((value & ~before & CR4_PCIDE) && (!long_mode || (vcpu->cr3 & CR3_PCID))) return false;
	if (paging && !long_mode && (value & CR4_PAE) && !load_directory_pointers(control, vcpu))
		return false;
	host_vmcs_write(VMCS_CR4_SHADOW, value);
	host_vmcs_write(VMCS_GUEST_CR4, value | CR4_MCE | CR4_VMXE);
	return true;
}

static bool move_to(struct control *control, struct vcpu *vcpu, unsigned number, uint64_t value) {
	switch (number) {
	case 0: return write_cr0(control, vcpu, value);
	case 8:
		if (value > 0xf) return false;
		control->lapic->task_priority = (uint32_t)value << 4;
		return true;
	case 4: return write_cr4(control, vcpu, value);
	default: return false;
	}
}

static bool control_access(struct control *control, struct vcpu *vcpu) {
	unsigned number = vcpu->qualification & QUALIFICATION_REGISTER;
	unsigned general = vcpu->qualification >> QUALIFICATION_GENERAL_SHIFT & 0xf;
	uint64_t cr0;
	switch ((enum control_access)(vcpu->qualification >> QUALIFICATION_ACCESS_SHIFT & 3)) {
	case ACCESS_MOVE_TO: return move_to(control, vcpu, number, vcpu_register(vcpu, general));
	case ACCESS_MOVE_FROM:
		if (number != 8) return false;
		vcpu_set_register(vcpu, general, control->lapic->task_priority >> 4);
		return true;
	case ACCESS_CLTS:
		host_vmcs_write(VMCS_GUEST_CR0, host_vmcs_read(VMCS_GUEST_CR0) & ~8ull);
		return true;
	case ACCESS_LMSW:
		// LMSW sets PE but never clears it.
		cr0 = host_vmcs_read(VMCS_GUEST_CR0);
		cr0 = (cr0 & ~(uint64_t)(LMSW_BITS & ~CR0_PE)) |
			(vcpu->qualification >> LMSW_SOURCE_SHIFT & LMSW_BITS);
		host_vmcs_write(VMCS_GUEST_CR0, cr0);
		return true;
	}
	return false;
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
