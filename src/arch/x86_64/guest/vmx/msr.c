// SPDX-License-Identifier: BSD-2-Clause
// MSRs of guests that are not in the VMCS: the lists that VM entry and exit switch.
#include <guest/vmx/internal.h>

_Static_assert((int)VMX_MSRS == (int)GUEST_MSRS_SWITCHED);

void vmx_msr_init(struct guest *guest) {
	struct cpu *cpu = this_cpu();
	// SPEC_CTRL is in the lists of those guests alone that have it.
	unsigned missing = guest_has_tsc_aux() ? 1 : 2;

	// What the kernel has in these MSRs, all the time: VM exit loads it. KERNEL_GS_BASE is a
	// program's and not among them: bases_load loads it.
	for (unsigned i = 0; i < HOST_MSRS - missing; i++)
		cpu->host_msrs[i] = (struct vmx_msr_entry){
			.msr = guest_msr_rows[GUEST_MSR_STAR + i].msr,
			.value = msr_read(guest_msr_rows[GUEST_MSR_STAR + i].msr)};
	for (unsigned i = 0; i < VMX_MSRS; i++)
		guest->vmx.msrs[i].msr = guest_msr_rows[i].msr;
	vmcs_write(VMCS_MSR_BITMAP, physical_of_image(cpu->msr_map).value);
	vmcs_write(VMCS_ENTRY_MSR_LOAD, physical_of(guest->vmx.msrs).value);
	vmcs_write(VMCS_EXIT_MSR_STORE, physical_of(guest->vmx.msrs).value);
	vmcs_write(VMCS_EXIT_MSR_LOAD, physical_of_image(cpu->host_msrs).value);
	vmcs_write(VMCS_EXIT_MSR_STORE_COUNT, VMX_MSRS - missing);
	cpu->host_msrs[HOST_MSRS - 1] = (struct vmx_msr_entry){MSR_SPEC_CTRL, 0, cpu->spec_ctrl};
	(void)vmx_write_spec_ctrl(guest, &guest->spec_ctrl);
}

// A guest of whose bits the kernel has not all, unless kernel entry and exit write the register
// anyway. What it has is the kernel's and more, for with IBRS that stays on it has to be on when a
// guest exits (Intel's "Indirect Branch Restricted Speculation"), and is never stored.
bool vmx_write_spec_ctrl(struct guest *guest, uint64_t *value) {
	const struct cpu *cpu = this_cpu();
	bool is_listed = *value & ~(uint64_t)cpu->spec_ctrl &&
		!(cpu->mitigations & MITIGATION_BIT(IBRS_ENTRY));
	uint64_t count = vmcs_read(VMCS_EXIT_MSR_STORE_COUNT) + is_listed;

	if (!guest_check_spec_ctrl(guest, value)) return false;
	guest->vmx.msrs[GUEST_MSR_SPEC_CTRL].value = *value | cpu->spec_ctrl;
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, count);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, count - GUEST_MSR_STAR);
	return true;
}
