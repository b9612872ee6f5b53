// SPDX-License-Identifier: BSD-2-Clause
// Events: from VT-x's form to AMD-V's and back, delivery again after an exit interrupted it, NMIs
// (APM 2 15.20, 15.21; SDM 3C 27.2.1.3).
#include <guest/svm/internal.h>

// A type that VMRUN refuses.
#define EVENT_REFUSED (INTERRUPTION_VALID | 1 << 8)

bool svm_event_is_valid(uint32_t event) {
	uint32_t vector = event & INTERRUPTION_VECTOR, type = event & INTERRUPTION_TYPE;

	if (event & ~(uint32_t)(INTERRUPTION_KNOWN)) return false;
	if (event & INTERRUPTION_ERROR_CODE && type != INTERRUPTION_EXCEPTION) return false;
	switch (type) {
	case INTERRUPTION_EXTERNAL:
	case INTERRUPTION_SOFTWARE: return true;
	case INTERRUPTION_NMI: return vector == VECTOR_NMI;
	case INTERRUPTION_EXCEPTION: return vector < VECTOR_EXCEPTIONS && vector != VECTOR_NMI;
	case INTERRUPTION_PRIVILEGED: return vector == VECTOR_DEBUG;
	case INTERRUPTION_SOFTWARE_EXCEPTION:
		return vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW;
	default: return false;
	}
}

// Unless the window needs them, interrupts go the way of virtual ones: QEMU may deliver an injected
// interrupt twice.
static void interrupt_enter(struct svm_guest *svm) {
	uint64_t vector = svm->event & INTERRUPTION_VECTOR;

	svm->is_virtual = true;
	svm->vmcb->interrupt |= VMCB_VIRTUAL_NOW | vector << VMCB_VIRTUAL_VECTOR_SHIFT;
	svm->vmcb->clean = 0;
}

// Software events return behind their instruction. A CPU with NRIPS takes that address from its
// field, but for INT1; the others push RIP.
static void software_enter(struct svm_guest *svm, uint32_t type) {
	svm->vmcb->next_rip = svm->vmcb->rip + svm->event_length;
	if (!svm_has(SVM_NEXT_RIP) || type == INTERRUPTION_PRIVILEGED)
		svm->rip_advance = (uint8_t)svm->event_length;
	svm->vmcb->rip += svm->rip_advance;
}

static void event_enter(struct guest *guest) {
	struct svm_guest *svm = &guest->svm;
	uint32_t event = svm->event, type = event & INTERRUPTION_TYPE;
	bool is_interrupt = type == INTERRUPTION_EXTERNAL;
	bool is_off = !(svm->vmcb->rflags & FLAGS_IF) || svm->vmcb->interrupt_shadow & 1;
	bool is_blocked = type == INTERRUPTION_NMI ? svm->is_nmi_blocked : is_interrupt && is_off;

	if (svm->steps & STEP_IRET) svm_block_nmi(guest, true); // the event comes before it
	if (!svm_event_is_valid(event) || is_blocked) { // as VT-x refuses it
		svm->vmcb->event = EVENT_REFUSED;
		return;
	}
	if (is_interrupt && !(svm->primary & PRIMARY_INTERRUPT_WINDOW)) return interrupt_enter(svm);
	if (type == INTERRUPTION_NMI) svm_block_nmi(guest, true);
	if (guest_event_is_software(event)) software_enter(svm, type);
	if (type == INTERRUPTION_PRIVILEGED || type == INTERRUPTION_SOFTWARE_EXCEPTION)
		event = (event & ~(uint32_t)INTERRUPTION_TYPE) | INTERRUPTION_EXCEPTION;
	svm->vmcb->event = event;
	svm->vmcb->event_error = svm->event_error;
}

// The guest executes the instruction now, and NMIs stay blocked until it is somewhere else.
void svm_iret(struct guest *guest) {
	svm_intercept(guest->svm.vmcb, SVM_EXIT_IRET, false);
	guest->svm.steps |= STEP_IRET;
	guest->svm.iret_rip = guest->svm.vmcb->rip;
}

// NMIs can come when the guest has executed the IRET that ends blocking, and at once where nothing
// blocks them: in both cases after one instruction. An event would push the flag that ends it, and
// a guest that steps has its exception first.
static void step_start(struct guest *guest) {
	struct vmcb *vmcb = guest->svm.vmcb;

	if ((guest->svm.is_nmi_blocked && !(guest->svm.steps & STEP_IRET)) ||
		guest->svm.event & INTERRUPTION_VALID || vmcb->rflags & FLAGS_TF)
		return;
	guest->svm.steps |= STEP_WINDOW;
	guest->svm.dr6 = vmcb->dr6;
	vmcb->rflags |= FLAGS_TF;
}

// True if the exit is the window's. An IRET has loaded the guest's own TF.
static bool step_end(struct guest *guest) {
	struct vmcb *vmcb = guest->svm.vmcb;
	uint8_t steps = guest->svm.steps;
	bool is_behind_iret = steps & STEP_IRET && vmcb->rip != guest->svm.iret_rip;

	guest->svm.steps &= ~STEP_WINDOW;
	if (is_behind_iret) svm_block_nmi(guest, false);
	if (!(steps & STEP_WINDOW)) return false;
	if (!is_behind_iret) vmcb->rflags &= ~(uint64_t)FLAGS_TF;
	if (vmcb->exit_code != SVM_EXIT_EXCEPTION + VECTOR_DEBUG) return false;
	vmcb->dr6 = guest->svm.dr6;
	vmcb->clean = 0;
	return true;
}

[[gnu::noinline]] void svm_events_enter(struct guest *guest) {
	if (guest->svm.event & INTERRUPTION_VALID) event_enter(guest);
	if (guest->svm.primary & PRIMARY_NMI_WINDOW) step_start(guest);
}

static void interrupt_exit(struct svm_guest *svm) {
	if (svm->vmcb->interrupt & VMCB_VIRTUAL_PENDING) svm->vmcb->exit_event = svm->event;
	svm->vmcb->interrupt = VMCB_VIRTUAL_MASKING;
	svm->vmcb->clean = 0;
	svm->is_virtual = false;
}

// An event that was not delivered leaves RIP where it was. The exit may also have interrupted
// another one, that came later.
bool svm_events_exit(struct guest *guest, bool entered) {
	struct svm_guest *svm = &guest->svm;
	bool delivered;

	if (svm->is_virtual) interrupt_exit(svm);
	delivered = entered &&
		(!(svm->vmcb->exit_event & INTERRUPTION_VALID) ||
			(svm->vmcb->exit_event ^ svm->event) & INTERRUPTION_VECTOR);
	if (!delivered) svm->vmcb->rip -= svm->rip_advance;
	svm->rip_advance = 0;
	svm->vmcb->event = 0;
	if (delivered) svm->event = 0;
	if (entered) svm->event &= ~INTERRUPTION_VALID;
	return svm->steps && step_end(guest);
}

// A software event that was not injected is its instruction's, which the guest executes again.
void svm_inject_again(struct guest *guest) {
	struct svm_guest *svm = &guest->svm;
	uint32_t event = svm_interrupted(svm->vmcb);

	if (likely(!event)) return;
	if (guest_event_is_software(event)) {
		if ((svm->event & INTERRUPTION_VECTOR) == (event & INTERRUPTION_VECTOR))
			svm->event |= INTERRUPTION_VALID;
		return;
	}
	if ((event & INTERRUPTION_TYPE) == INTERRUPTION_NMI) svm_block_nmi(guest, false);
	svm->event = event;
	svm->event_error = svm->vmcb->exit_event_error;
}

// What the delivery of a #DB changes and injection does not; DR6 has its causes.
static void debug_exception(struct vmcb *vmcb) {
	vmcb->dr7 &= ~(uint64_t)DR7_GENERAL_DETECT;
	vmcb->debugctl = 0;
	vmcb->clean = 0;
}

bool svm_take_exception(struct guest *guest) {
	struct svm_guest *svm = &guest->svm;
	uint32_t event = svm_exception(svm->vmcb), vector = event & INTERRUPTION_VECTOR;

	if (vector == VECTOR_MACHINE_CHECK) {
		host_exception(VECTOR_MACHINE_CHECK);
		svm_inject_again(guest);
		return true;
	}
	// The host took its NMI when the exit was over.
	if (vector == VECTOR_NMI || svm->exceptions >> vector & 1) return false;
	if (vector == VECTOR_DEBUG) debug_exception(svm->vmcb);
	svm->event = event;
	svm->event_error = (uint32_t)svm->vmcb->exit_information[0];
	return true;
}
