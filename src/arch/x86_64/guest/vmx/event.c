// SPDX-License-Identifier: BSD-2-Clause
// Events of a guest that the kernel delivers itself: those whose delivery an exit interrupted, and
// exceptions that exit though the monitor did not ask for them.
#include <guest/vmx/internal.h>

// The next entry delivers the event, in the form of an exit's interruption or vectoring
// information. What delivery ends must be gone before, or the entry fails (SDM 3C 27.3.1.5).
static void inject(uint64_t event, enum vmcs_field error_code) {
	uint64_t type = event & INTERRUPTION_TYPE;
	uint64_t ends = INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS;

	vmcs_write(VMCS_ENTRY_INTERRUPTION, event & ~(uint64_t)INTERRUPTION_UNDEFINED);
	if (event & INTERRUPTION_ERROR_CODE)
		vmcs_write(VMCS_ENTRY_ERROR_CODE, vmcs_read(error_code));
	if (guest_event_is_software(event))
		vmcs_write(VMCS_ENTRY_INSTRUCTION_LENGTH, vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH));
	// An NMI cannot be injected while NMIs are blocked, which its own delivery did.
	if (type == INTERRUPTION_NMI) ends |= INTERRUPTIBILITY_NMI;
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & ~ends);
}

void vmx_inject_again(void) {
	uint64_t event = vmcs_read(VMCS_IDT_VECTORING);

	if (unlikely(event & INTERRUPTION_VALID)) inject(event, VMCS_IDT_VECTORING_ERROR_CODE);
}

// What the delivery of a #DB changes, and neither an exit in its place nor injection does (SDM 3B
// 18.2.3, 18.2.4, 18.4; 3C 28.1, 27.6.1).
static void debug_exception(struct guest *guest) {
	uint64_t causes = vmcs_read(VMCS_EXIT_QUALIFICATION) & DR6_CAUSES;

	if (causes) // INT1 has none
		guest->vmx.dr6 = (guest->vmx.dr6 & ~(uint64_t)DR6_BREAKPOINTS) | causes;
	vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~(uint64_t)DR7_GENERAL_DETECT);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0); // neither LBR nor BTF
}

bool vmx_take_exception(struct guest *guest) {
	uint64_t event = vmcs_read(VMCS_EXIT_INTERRUPTION);
	unsigned vector = event & INTERRUPTION_VECTOR;

	// More NMIs stay blocked until an IRET.
	if (vector == VECTOR_NMI) host_exception(VECTOR_NMI);
	if (vector == VECTOR_MACHINE_CHECK) {
		host_exception(VECTOR_MACHINE_CHECK);
		vmx_inject_again();
		return true;
	}
	if (vector == VECTOR_NMI || guest->vmx.exceptions >> vector & 1) return false;
	// What was on its way is benign beside #DB and #AC, and comes again if it was an
	// instruction's (SDM 3A 6.15).
	if (vector == VECTOR_DEBUG) debug_exception(guest);
	inject(event, VMCS_EXIT_ERROR_CODE);
	return true;
}
