// SPDX-License-Identifier: BSD-2-Clause
// Fault messages as text (FAULT-9 to FAULT-13).
#include <root/fault_report.h>

#include <base/compiler.h>

#include <root/backtrace.h>
#include <root/pages.h>

#include <user/print.h>

static const char *const lookup_failures[] = {
	"none", "invalid root", "empty slot", "depth mismatch", "guard mismatch"};

static void print_registers(const seL4_UserContext *registers) {
	seL4_UserContext r = *registers;

	print("  rip %016lx rsp %016lx flags %08lx rax %016lx\n", r.rip, r.rsp, r.rflags, r.rax);
	print("  rbx %016lx rcx %016lx rdx %016lx rsi %016lx\n", r.rbx, r.rcx, r.rdx, r.rsi);
	print("  rdi %016lx rbp %016lx r8  %016lx r9  %016lx\n", r.rdi, r.rbp, r.r8, r.r9);
	print("  r10 %016lx r11 %016lx r12 %016lx r13 %016lx\n", r.r10, r.r11, r.r12, r.r13);
	print("  r14 %016lx r15 %016lx\n", r.r14, r.r15);
}

static void print_memory_fault(const struct system_domain *record) {
	seL4_Word address = seL4_GetMR(seL4_VMFault_Addr);
	seL4_Word code = seL4_GetMR(seL4_VMFault_FSR);
	seL4_Word stack_bottom = DOMAIN_STACK_TOP - record->stack_size;
	const char *kind = code & 2 ? "write to" : "read of";

	if (seL4_GetMR(seL4_VMFault_PrefetchFault)) kind = "execution of";
	print("%s 0x%lx by 0x%lx (code 0x%lx)\n", kind, address, seL4_GetMR(seL4_VMFault_IP), code);
	if (address < stack_bottom && stack_bottom - address <= 0x1000)
		print("  the stack of %lu KiB has overflowed\n", record->stack_size >> 10);
}

static void print_cap_fault(void) {
	seL4_Word failure = seL4_GetMR(seL4_CapFault_LookupFailureType);

	print("capability address 0x%lx did not resolve (%s, %s) at 0x%lx\n",
		seL4_GetMR(seL4_CapFault_Addr),
		failure < array_count(lookup_failures) ? lookup_failures[failure] : "unknown",
		seL4_GetMR(seL4_CapFault_InRecvPhase) ? "receive" : "send",
		seL4_GetMR(seL4_CapFault_IP));
}

static void print_fault(const struct system_domain *record, seL4_Word label) {
	switch (label) {
	case seL4_Fault_CapFault: print_cap_fault(); break;
	case seL4_Fault_VMFault: print_memory_fault(record); break;
	case seL4_Fault_UserException:
		print("exception %lu (code 0x%lx) at 0x%lx\n",
			seL4_GetMR(seL4_UserException_Number), seL4_GetMR(seL4_UserException_Code),
			seL4_GetMR(seL4_UserException_FaultIP));
		break;
	case seL4_Fault_UnknownSyscall:
		print("unknown system call %ld at 0x%lx\n",
			(long)seL4_GetMR(seL4_UnknownSyscall_Syscall),
			seL4_GetMR(seL4_UnknownSyscall_FaultIP));
		break;
	default: print("fault %lu\n", label); break;
	}
}

void fault_report(const struct system *system, uint32_t domain, seL4_Word label) {
	const struct system_domain *record = &system->image.domains[domain];
	seL4_UserContext registers;

	print("system: '%s' was stopped: ", record->name);
	print_fault(record, label);
	if (seL4_TCB_ReadRegisters(
		    system->domains[domain].tcb, seL4_False, 0, USER_CONTEXT_WORDS, &registers))
		return;
	print_registers(&registers);
	backtrace_print(system, domain, &registers);
}
