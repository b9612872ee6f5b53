// SPDX-License-Identifier: BSD-2-Clause
// Receives the faults of all domains and prints them; the domain stays stopped, the others run on.
// Passive domains report here when their init is done.
#include <root/monitor.h>

#include <base/compiler.h>

#include <user/print.h>
#include <user/untyped.h>

static const char *const lookup_failures[] = {
	"none", "invalid root", "empty slot", "depth mismatch", "guard mismatch"};

static void print_registers(seL4_CPtr tcb) {
	seL4_UserContext r;

	if (seL4_TCB_ReadRegisters(tcb, seL4_False, 0, USER_CONTEXT_WORDS, &r)) return;
	print("  rip %016lx rsp %016lx flags %08lx rax %016lx\n", r.rip, r.rsp, r.rflags, r.rax);
	print("  rbx %016lx rcx %016lx rdx %016lx rsi %016lx\n", r.rbx, r.rcx, r.rdx, r.rsi);
	print("  rdi %016lx rbp %016lx r8  %016lx r9  %016lx\n", r.rdi, r.rbp, r.r8, r.r9);
	print("  r10 %016lx r11 %016lx r12 %016lx r13 %016lx\n", r.r10, r.r11, r.r12, r.r13);
	print("  r14 %016lx r15 %016lx\n", r.r14, r.r15);
}

static void print_memory_fault(const struct system_domain *record) {
	seL4_Word address = seL4_GetMR(seL4_VMFault_Addr);
	seL4_Word code = seL4_GetMR(seL4_VMFault_FSR);
	seL4_Word stack_bottom = 0x7fffffffd000ul - record->stack_size;
	const char *kind = code & 2 ? "write to" : "read of";

	if (seL4_GetMR(seL4_VMFault_PrefetchFault)) kind = "execution of";
	print("%s 0x%lx by 0x%lx (code 0x%lx)\n", kind, address, seL4_GetMR(seL4_VMFault_IP), code);
	if (address < stack_bottom && stack_bottom - address <= 0x1000)
		print("  the stack of 0x%lx bytes has overflowed\n", record->stack_size);
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

// A passive domain has finished init: from now on it runs on the time of its callers and signals.
static void make_passive(const struct domain *domain, const char *name) {
	seL4_Error error = seL4_SchedContext_UnbindObject(domain->sched_context, domain->tcb);

	if (!error) error = seL4_SchedContext_Bind(domain->sched_context, domain->notification);
	if (error) system_report(error, "passive domain", name);
}

static void handle(struct system *system, seL4_Word badge, seL4_MessageInfo_t tag) {
	const struct system_domain *record = &system->image.domains[badge - 1];
	const struct domain *domain = &system->domains[badge - 1];

	if (seL4_MessageInfo_get_label(tag) == seL4_Fault_NullFault) {
		make_passive(domain, record->name);
		return;
	}
	print("system: '%s' was stopped: ", record->name);
	print_fault(record, seL4_MessageInfo_get_label(tag));
	print_registers(domain->tcb);
}

void monitor_run(struct system *system) {
	seL4_CPtr reply = object_make(OBJECT_REPLY, 0);

	for (;;) {
		seL4_Word badge = 0;
		seL4_MessageInfo_t tag = seL4_Recv(system->fault_endpoint, &badge, reply);

		if (badge >= 1 && badge <= image_count(&system->image, SYSTEM_DOMAINS))
			handle(system, badge, tag);
	}
}
