// SPDX-License-Identifier: BSD-2-Clause
// AMD-V: numbers of guests' translations, and what an exit says of an event that was injected.
#include "../check.h"

#include <base/compiler.h>
#include <cpu/msr.h>
#include <cpu/segments.h>
#include <guest/svm/internal.h>
#include <stdlib.h>

enum { RIP = 0x1000, LENGTH = 2, TIMES = 1000 };

static struct platform platform;
static struct cpu cpu = {.platform = &platform};
static struct vmcb vmcb;
static struct guest guest;

unsigned raised;

void panic(const char *, ...) { abort(); }

struct cpu *this_cpu(void) {
	return &cpu;
}

static void fresh(uint32_t asids) {
	platform.found.svm = (struct svm){.asids = asids};
	cpu.last_tag = 0;
	svm_invalidate();
	vmcb = (struct vmcb){.rip = RIP};
	guest = (struct guest){.svm.vmcb = &vmcb};
}

// Within a generation no two are the same, and the first one flushes what is left of those before.
static void numbers(void) {
	for (uint32_t asids = 2; asids < 20; asids += 3) {
		fresh(asids);
		for (unsigned i = 0; i < TIMES; i++) {
			uint64_t before = guest.svm.asid;

			vmcb.tlb_control = TLB_CONTROL_KEEP;
			svm_assign_asid(&guest);
			check(guest.svm.asid > before);
			check(vmcb.asid > 0 && vmcb.asid < asids);
			check_equal(vmcb.asid, i % (asids - 1) + 1);
			check((vmcb.asid == 1) == (vmcb.tlb_control == TLB_CONTROL_FLUSH_ALL));
		}
	}
}

// A program that unmaps all the time needs an hour for 2^32 generations.
static void generations(void) {
	uint64_t first, step;

	fresh(UINT16_MAX);
	first = cpu.last_tag;
	svm_invalidate();
	step = cpu.last_tag - first;
	cpu.last_tag += step * (UINT32_MAX - 1ul);
	svm_invalidate();
	check(cpu.last_tag > first);
}

static void inject(uint32_t event) {
	fresh(UINT16_MAX);
	guest.svm.event = event;
	guest.svm.event_length = LENGTH;
	svm_events_enter(&guest);
}

// INT1 returns behind itself, and is executed again if the exit comes before it is delivered.
static void injected(void) {
	const uint32_t event = INTERRUPTION_VALID | INTERRUPTION_PRIVILEGED | VECTOR_DEBUG;
	const uint32_t exception = INTERRUPTION_VALID | INTERRUPTION_EXCEPTION;

	inject(event);
	check_equal(vmcb.rip, RIP + LENGTH);
	vmcb.exit_event = exception | VECTOR_DEBUG;
	check(!svm_events_exit(&guest, true));
	check_equal(vmcb.rip, RIP);

	inject(event);
	check(!svm_events_exit(&guest, true));
	check_equal(vmcb.rip, RIP + LENGTH);
}

static void later(void) {
	inject(INTERRUPTION_VALID | INTERRUPTION_PRIVILEGED | VECTOR_DEBUG);
	vmcb.rip = 0x5000;
	vmcb.exit_event = INTERRUPTION_VALID | INTERRUPTION_EXCEPTION | VECTOR_PAGE_FAULT;
	check(!svm_events_exit(&guest, true));
	check_equal(vmcb.rip, 0x5000);
	check_equal(guest.svm.event, 0);
}

static uint64_t vm_cr;
static bool has_vm_cr;

bool msr_try_read(uint32_t msr, uint64_t *value) {
	check_equal(msr, MSR_VM_CR);
	*value = vm_cr;
	return has_vm_cr;
}

bool msr_try_write(uint32_t msr, uint64_t value) {
	check_equal(msr, MSR_VM_CR);
	vm_cr = value;
	return has_vm_cr;
}

// An INIT resets no core, but where the firmware has the last word.
static void unlock(void) {
	static const struct {
		uint64_t before, after;
		bool has, is_usable;
	} rows[] = {
		{0, VM_CR_R_INIT, true, true}, {VM_CR_LOCK, VM_CR_LOCK | VM_CR_R_INIT, true, true},
		{VM_CR_SVMDIS, VM_CR_R_INIT, true, true},
		{VM_CR_SVMDIS | VM_CR_LOCK, VM_CR_SVMDIS | VM_CR_LOCK, true, false},
		{0, VM_CR_R_INIT, false, true}, // an emulator's CPU
	};

	for (unsigned i = 0; i < array_count(rows); i++) {
		vm_cr = rows[i].before;
		has_vm_cr = rows[i].has;
		check_equal(svm_unlock(), rows[i].is_usable);
		check_equal(vm_cr, rows[i].after);
	}
}

static bool iret_exits(void) {
	return vmcb.intercepts[SVM_EXIT_IRET / 32] >> SVM_EXIT_IRET % 32 & 1;
}

// The guest is about to execute the IRET of its NMI handler.
static void reach_iret(uint32_t windows) {
	fresh(UINT16_MAX);
	svm_block_nmi(&guest, true);
	check(iret_exits());
	guest.svm.primary = windows;
	vmcb.exit_code = SVM_EXIT_IRET;
	svm_iret(&guest);
	check(!iret_exits());
	check_equal(svm_blocking(&guest), INTERRUPTIBILITY_NMI);
}

static void iret(void) {
	reach_iret(0);
	svm_events_enter(&guest);
	vmcb.exit_code = SVM_EXIT_INTERRUPT; // before it
	check(!svm_events_exit(&guest, true));
	check_equal(svm_blocking(&guest), INTERRUPTIBILITY_NMI);
	vmcb.rip = 0x5000;
	check(!svm_events_exit(&guest, true));
	check_equal(svm_blocking(&guest), 0);
	check_equal(guest.svm.steps, 0);
}

// The window opens behind the IRET, which loads the guest's own trap flag.
static void iret_window(void) {
	reach_iret(PRIMARY_NMI_WINDOW);
	svm_events_enter(&guest);
	check(vmcb.rflags & FLAGS_TF);
	vmcb.exit_code = SVM_EXIT_INTERRUPT;
	check(!svm_events_exit(&guest, true));
	check(!(vmcb.rflags & FLAGS_TF));
	check_equal(svm_blocking(&guest), INTERRUPTIBILITY_NMI);
	svm_events_enter(&guest);
	vmcb.exit_code = SVM_EXIT_EXCEPTION + VECTOR_DEBUG;
	vmcb.rip = 0x5000;
	check(svm_events_exit(&guest, true));
	check(vmcb.rflags & FLAGS_TF);
	check_equal(svm_blocking(&guest), 0);
}

// What is injected comes before the IRET; an NMI may not.
static void iret_event(void) {
	reach_iret(0);
	guest.svm.event = INTERRUPTION_VALID | INTERRUPTION_EXCEPTION | VECTOR_PAGE_FAULT;
	svm_events_enter(&guest);
	check(iret_exits());
	vmcb.rip = 0x5000;
	vmcb.exit_code = SVM_EXIT_CPUID;
	check(!svm_events_exit(&guest, true));
	check_equal(svm_blocking(&guest), INTERRUPTIBILITY_NMI);

	reach_iret(0);
	guest.svm.event = INTERRUPTION_VALID | INTERRUPTION_NMI | VECTOR_NMI;
	svm_events_enter(&guest);
	check(!svm_event_is_valid((uint32_t)vmcb.event)); // which VMRUN refuses
}

static const struct test tests[] = {
	{"asid-numbers", "each number is a guest's alone until all are flushed", numbers},
	{"asid-generations", "a generation does not come again", generations},
	{"inject-undone", "an event that was not delivered leaves RIP as it was", injected},
	{"unlock", "INITs are redirected where AMD-V is not locked off", unlock},
	{"iret", "NMIs are blocked until the IRET was executed", iret},
	{"iret-window", "the NMI window opens behind the IRET", iret_window},
	{"iret-event", "an event before the IRET leaves NMIs blocked", iret_event},
	{"inject-later", "an event interrupted later leaves RIP alone", later},
};

int main(void) { return check_run(tests, array_count(tests)); }
