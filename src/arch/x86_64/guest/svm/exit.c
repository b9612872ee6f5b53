// SPDX-License-Identifier: BSD-2-Clause
// What an exit says in VT-x's terms: reason, qualification, events (APM 2 15.7 to 15.13, appendix
// C; SDM 3C 28.2).
#include <guest/svm/internal.h>

#define CONTROL_REGISTER_LAST (SVM_EXIT_WRITE_CR0 + 15)
#define DEBUG_REGISTER_LAST (SVM_EXIT_WRITE_DR0 + 15)

// By exit code, of exits that have one reason; 0: none here.
static const uint8_t reasons[SVM_INTERCEPTS] = {
	[SVM_EXIT_READ_CR0... CONTROL_REGISTER_LAST] = VCPU_EXIT_CONTROL_REGISTER,
	[SVM_EXIT_READ_DR0... DEBUG_REGISTER_LAST] = VCPU_EXIT_DEBUG_REGISTER,
	[SVM_EXIT_VINTR] = VCPU_EXIT_INTERRUPT_WINDOW,
	[SVM_EXIT_CR0_SELECTIVE] = VCPU_EXIT_CONTROL_REGISTER,
	[SVM_EXIT_READ_IDTR... SVM_EXIT_READ_GDTR] = VCPU_EXIT_DESCRIPTOR_TABLE,
	[SVM_EXIT_READ_LDTR... SVM_EXIT_READ_TR] = VCPU_EXIT_TASK_REGISTER,
	[SVM_EXIT_WRITE_IDTR... SVM_EXIT_WRITE_GDTR] = VCPU_EXIT_DESCRIPTOR_TABLE,
	[SVM_EXIT_WRITE_LDTR... SVM_EXIT_WRITE_TR] = VCPU_EXIT_TASK_REGISTER,
	[SVM_EXIT_RDTSC] = VCPU_EXIT_RDTSC,
	[SVM_EXIT_RDPMC] = VCPU_EXIT_RDPMC,
	[SVM_EXIT_CPUID] = VCPU_EXIT_CPUID,
	[SVM_EXIT_RSM] = VCPU_EXIT_RSM,
	[SVM_EXIT_INVD] = VCPU_EXIT_INVD,
	[SVM_EXIT_PAUSE] = VCPU_EXIT_PAUSE,
	[SVM_EXIT_HLT] = VCPU_EXIT_HLT,
	[SVM_EXIT_INVLPG] = VCPU_EXIT_INVLPG,
	[SVM_EXIT_INVLPGA] = VCPU_EXIT_VIRTUALISATION,
	[SVM_EXIT_IO] = VCPU_EXIT_IO,
	[SVM_EXIT_MSR] = VCPU_EXIT_RDMSR, // or WRMSR
	[SVM_EXIT_TASK_SWITCH] = VCPU_EXIT_TASK_SWITCH,
	[SVM_EXIT_SHUTDOWN] = VCPU_EXIT_TRIPLE_FAULT,
	[SVM_EXIT_VMRUN] = VCPU_EXIT_VIRTUALISATION,
	[SVM_EXIT_VMMCALL] = VCPU_EXIT_HYPERCALL,
	[SVM_EXIT_VMLOAD... SVM_EXIT_SKINIT] = VCPU_EXIT_VIRTUALISATION,
	[SVM_EXIT_RDTSCP] = VCPU_EXIT_RDTSCP,
	[SVM_EXIT_WBINVD] = VCPU_EXIT_WBINVD,
	[SVM_EXIT_MONITOR] = VCPU_EXIT_MONITOR,
	[SVM_EXIT_MWAIT] = VCPU_EXIT_MWAIT,
	[SVM_EXIT_XSETBV] = VCPU_EXIT_XSETBV,
};

// Exceptions with an error code (SDM 3A 6.15).
#define ERROR_CODES (BIT(8) | 0x1ful << 10 | BIT(17) | BIT(21))

enum task_source { TASK_CALL, TASK_IRET, TASK_JUMP, TASK_GATE, TASK_SOURCE_SHIFT = 30 };
enum { MEMORY_READABLE = 1 << 3, MEMORY_EXECUTABLE = 1 << 5, REGISTER = 0xf };

uint32_t svm_reason(const struct vmcb *vmcb) {
	uint64_t code = vmcb->exit_code;

	if (code == SVM_EXIT_NESTED_PAGE_FAULT) return VCPU_EXIT_MEMORY;
	if (code == SVM_EXIT_MSR && vmcb->exit_information[0]) return VCPU_EXIT_WRMSR;
	if (likely(code < SVM_INTERCEPTS && reasons[code])) return reasons[code];
	return svm_exception(vmcb) ? VCPU_EXIT_EXCEPTION : VCPU_EXIT_OTHER;
}

static uint64_t memory_access(const struct vmcb *vmcb) {
	uint64_t error = vmcb->exit_information[0], result = VCPU_MEMORY_READ;

	if (error & SVM_FAULT_WRITE) result = VCPU_MEMORY_WRITE;
	if (error & SVM_FAULT_FETCH) result = VCPU_MEMORY_FETCH;
	if (error & SVM_FAULT_PRESENT) result |= MEMORY_READABLE | MEMORY_EXECUTABLE;
	return result | (error & SVM_FAULT_FINAL ? VCPU_MEMORY_FINAL : 0);
}

static uint64_t port_access(const struct vmcb *vmcb) {
	uint64_t access = vmcb->exit_information[0];
	uint64_t result = (access >> SVM_IO_SIZE_SHIFT & VCPU_IO_SIZE) - 1;

	if (access & SVM_IO_IN) result |= VCPU_IO_IN;
	if (access & SVM_IO_STRING) result |= VCPU_IO_STRING;
	if (access & SVM_IO_REPEATED) result |= VCPU_IO_REPEATED;
	return result | (access & 0xffff0000);
}

// Of control and debug registers alike; without decode assists the general register is unknown.
static uint64_t register_access(const struct vmcb *vmcb) {
	uint64_t code = vmcb->exit_code;

	if (code == SVM_EXIT_CR0_SELECTIVE) code = SVM_EXIT_WRITE_CR0;
	return (code & REGISTER) | (uint64_t) !(code & SVM_EXIT_WRITE_CR0) << VCPU_CR_ACCESS_SHIFT |
		(vmcb->exit_information[0] & REGISTER) << VCPU_CR_GENERAL_SHIFT;
}

static uint64_t exception_cause(const struct vmcb *vmcb) {
	if (vmcb->exit_code == SVM_EXIT_EXCEPTION + VECTOR_DEBUG) return vmcb->dr6 & DR6_CAUSES;
	if (vmcb->exit_code == SVM_EXIT_EXCEPTION + VECTOR_PAGE_FAULT)
		return vmcb->exit_information[1];
	return 0;
}

static uint64_t task_switch(const struct vmcb *vmcb) {
	uint64_t how = vmcb->exit_information[1], source = TASK_CALL;

	if (vmcb->exit_event & INTERRUPTION_VALID) source = TASK_GATE;
	if (how & SVM_TASK_IRET) source = TASK_IRET;
	if (how & SVM_TASK_JUMP) source = TASK_JUMP;
	return (uint16_t)vmcb->exit_information[0] | source << TASK_SOURCE_SHIFT;
}

uint64_t svm_qualification(const struct vmcb *vmcb, uint64_t reason) {
	switch (reason) {
	case VCPU_EXIT_EXCEPTION: return exception_cause(vmcb);
	case VCPU_EXIT_TASK_SWITCH: return task_switch(vmcb);
	case VCPU_EXIT_INVLPG: return vmcb->exit_information[0];
	case VCPU_EXIT_CONTROL_REGISTER:
	case VCPU_EXIT_DEBUG_REGISTER: return register_access(vmcb);
	case VCPU_EXIT_IO: return port_access(vmcb);
	case VCPU_EXIT_MEMORY: return memory_access(vmcb);
	case VCPU_EXIT_OTHER: return vmcb->exit_code;
	default: return 0;
	}
}

// 0 where the CPU does not say, and where the qualification is not all there is to know: of control
// registers only with decode assists, and for MOV alone (APM 2 15.8.1).
uint32_t svm_instruction_length(const struct vmcb *vmcb) {
	uint64_t code = vmcb->exit_code;
	bool is_control = code <= CONTROL_REGISTER_LAST || code == SVM_EXIT_CR0_SELECTIVE;
	bool has_operand = code <= DEBUG_REGISTER_LAST || code == SVM_EXIT_INVLPG;

	if (code == SVM_EXIT_IO) return (uint32_t)(vmcb->exit_information[1] - vmcb->rip);
	if (!svm_has(SVM_NEXT_RIP) || !vmcb->next_rip) return 0;
	if (has_operand && !svm_has(SVM_DECODE_ASSISTS)) return 0;
	if (is_control && !(vmcb->exit_information[0] & SVM_CR_IS_MOVE)) return 0;
	return (uint32_t)(vmcb->next_rip - vmcb->rip);
}

// Address size and segment of INS and OUTS. Not every CPU says the size.
uint32_t svm_instruction_information(const struct vmcb *vmcb) {
	uint64_t access = vmcb->exit_information[0];
	uint32_t size = access >> SVM_IO_ADDRESS_SHIFT & 7, code = vmcb->cs.attributes;

	if (vmcb->exit_code != SVM_EXIT_IO) return 0;
	if (!size) size = code & VMCB_SEGMENT_64 ? 4 : code & VMCB_SEGMENT_32 ? 2 : 1;
	return size >> 1 << 7 | (uint32_t)(access >> SVM_IO_SEGMENT_SHIFT & 7) << 15;
}

// AMD-V has INT3 and INTO among the exceptions.
static uint32_t event_of(uint32_t event) {
	bool is_exception = (event & INTERRUPTION_TYPE) == INTERRUPTION_EXCEPTION;
	uint32_t vector = event & INTERRUPTION_VECTOR;

	if (is_exception && (vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW))
		event |= INTERRUPTION_SOFTWARE_EXCEPTION;
	return event;
}

// The exception or NMI of an exit, or 0.
uint32_t svm_exception(const struct vmcb *vmcb) {
	uint64_t code = vmcb->exit_code, vector = code - SVM_EXIT_EXCEPTION;

	if (code == SVM_EXIT_NMI) return INTERRUPTION_VALID | INTERRUPTION_NMI | VECTOR_NMI;
	if (code == SVM_EXIT_ICEBP)
		return INTERRUPTION_VALID | INTERRUPTION_PRIVILEGED | VECTOR_DEBUG;
	if (vector >= VECTOR_EXCEPTIONS) return 0;
	return event_of(INTERRUPTION_VALID | INTERRUPTION_EXCEPTION | (uint32_t)vector |
		(ERROR_CODES >> vector & 1 ? INTERRUPTION_ERROR_CODE : 0));
}

// The event whose delivery the exit interrupted, or 0.
uint32_t svm_interrupted(const struct vmcb *vmcb) {
	uint32_t event = (uint32_t)vmcb->exit_event;

	return event & INTERRUPTION_VALID ? event_of(event & INTERRUPTION_KNOWN) : 0;
}
