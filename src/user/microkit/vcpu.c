// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPU operations of a monitor. Three fields are cached here, because each VM entry passes
// them.
#include <user/microkit/internal.h>

#include <nacre/vcpu.h>
#include <sel4/nacre.h>
#include <user/microkit/domain.h>

struct microkit_x86_vcpu_state microkit_x86_vcpu_state;
bool vcpu_by_state_page;

// The library's copy of a field; null for a field of the kernel's.
static seL4_Word *cached_field(seL4_Word field) {
	switch (field) {
	case MICROKIT_VMX_GUEST_RIP: return &microkit_x86_vcpu_state.rip;
	case MICROKIT_VMX_CONTROL_PRIMARY_PROCESSOR_CONTROLS:
		return &microkit_x86_vcpu_state.prim_proc_ctl;
	case MICROKIT_VMX_CONTROL_ENTRY_INTERRUPTION_INFO: return &microkit_x86_vcpu_state.irq_info;
	default: return NULL;
	}
}

void microkit_vcpu_x86_on(void) { microkit_x86_vcpu_state.is_on = seL4_True; }

void microkit_vcpu_x86_off(void) { microkit_x86_vcpu_state.is_on = seL4_False; }

seL4_Word microkit_vcpu_x86_read_vmcs(microkit_child vcpu, seL4_Word field) {
	const seL4_Word *cached = cached_field(field);
	seL4_X86_VCPU_ReadVMCS_t answer;

	if (cached) return *cached;
	answer = seL4_X86_VCPU_ReadVMCS(BASE_VCPU_CAP + vcpu, field);
	if (answer.error) crash_in(__func__, (seL4_Error)answer.error);
	return answer.value;
}

void microkit_vcpu_x86_write_vmcs(microkit_child vcpu, seL4_Word field, seL4_Word value) {
	seL4_Word *cached = cached_field(field);
	seL4_X86_VCPU_WriteVMCS_t answer;

	if (cached) {
		*cached = value;
		return;
	}
	answer = seL4_X86_VCPU_WriteVMCS(BASE_VCPU_CAP + vcpu, field, value);
	if (answer.error) crash_in(__func__, (seL4_Error)answer.error);
}

seL4_Word microkit_vcpu_x86_read_msr(microkit_child vcpu, seL4_Word field) {
	seL4_X86_VCPU_ReadMSR_t answer = seL4_X86_VCPU_ReadMSR(BASE_VCPU_CAP + vcpu, field);

	if (answer.error) crash_in(__func__, (seL4_Error)answer.error);
	return answer.value;
}

void microkit_vcpu_x86_write_msr(microkit_child vcpu, seL4_Word field, seL4_Word value) {
	seL4_X86_VCPU_WriteMSR_t answer = seL4_X86_VCPU_WriteMSR(
		BASE_VCPU_CAP + vcpu, field, value);

	if (answer.error) crash_in(__func__, (seL4_Error)answer.error);
}

void microkit_vcpu_x86_enable_ioport(
	microkit_child vcpu, microkit_ioport ioport_id, seL4_Word port_addr, seL4_Word length) {
	seL4_Error error;

	if (!check_id(microkit_ioports, ioport_id, __func__, "I/O port")) return;
	error = seL4_X86_VCPU_EnableIOPort(BASE_VCPU_CAP + vcpu, BASE_IOPORT_CAP + ioport_id,
		port_addr, port_addr + length - 1);
	if (error) crash_in(__func__, error);
}

void microkit_vcpu_x86_disable_ioport(microkit_child vcpu, seL4_Word port_addr, seL4_Word length) {
	seL4_Error error = seL4_X86_VCPU_DisableIOPort(
		BASE_VCPU_CAP + vcpu, port_addr, port_addr + length - 1);

	if (error) crash_in(__func__, error);
}

void microkit_vcpu_x86_write_regs(microkit_child vcpu, seL4_VCPUContext *regs) {
	seL4_Error error = seL4_X86_VCPU_WriteRegisters(BASE_VCPU_CAP + vcpu, regs);

	if (error) crash_in(__func__, error);
}

struct vcpu_state_page *microkit_vcpu_state(microkit_child vcpu) {
	if (!vcpu_by_state_page)
		vcpu_by_state_page = nacre_VCPU_SetStatePage(BASE_VCPU_CAP + vcpu,
					     DOMAIN_VCPU_STATE_CAP) == seL4_NoError;
	return vcpu_by_state_page ? (struct vcpu_state_page *)DOMAIN_VCPU_STATE : NULL;
}

void microkit_vcpu_save_state(microkit_child vcpu, seL4_Word groups) {
	seL4_Error error = nacre_VCPU_SaveState(BASE_VCPU_CAP + vcpu, groups);

	if (error) crash_in(__func__, error);
}
