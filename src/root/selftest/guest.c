// SPDX-License-Identifier: BSD-2-Clause
// A guest of one page, in protected mode without paging, by VT-x or AMD-V, whichever the kernel
// uses: it writes a word, executes CPUID and then HLT. Quick: on the first core; full: on each.
#include <root/selftest/workers.h>

#include <base/bits.h>
#include <base/memory.h>
#include <sel4/nacre.h>
#include <x86/cpuid.h>
#include <x86/cr.h>
#include <x86/instructions.h>
#include <x86/vmx.h>

#include <user/slots.h>
#include <user/untyped.h>

enum {
	CODE = 0x100, // addresses of the guest
	CODE_CPUID = CODE + 10,
	CODE_HLT = CODE_CPUID + 2,
	WORD = 0x800,
	VALUE = 0x12345678,
	ATTRIBUTES_CODE = 0x409b | VCPU_SEGMENT_PAGES, // present, 32-bit
	ATTRIBUTES_DATA = 0x4093 | VCPU_SEGMENT_PAGES,
	ATTRIBUTES_TSS = 0x8b, // busy
};

// Of the workers: what the guest has at address 0, and its state page.
#define MEMORY_ADDRESS 0x200000400000ul
#define STATE_ADDRESS (MEMORY_ADDRESS + (1ul << PAGE_BITS))

static const uint8_t code[] = {
	0xb8, 0x78, 0x56, 0x34, 0x12, // mov eax, VALUE
	0xa3, 0x00, 0x08, 0x00, 0x00, // mov [WORD], eax
	0x0f, 0xa2, // cpuid
	0xf4, // hlt
};

static struct {
	seL4_CPtr vcpu, state;
	struct space space;
} guest;

static bool cpu_may_run_guests(void) {
	bool vmx = cpuid(1, 0).ecx & LEAF_1_ECX_VMX;

	return vmx ||
		(cpuid(LEAF_EXTENDED, 0).eax >= LEAF_SVM &&
			cpuid(LEAF_EXTENDED_FEATURES, 0).ecx & EXTENDED_ECX_SVM);
}

static bool share(seL4_CPtr frame, const struct space *space, seL4_Word address) {
	struct mapping mapping = {
		.frame = slots_allocate(1),
		.address = address,
		.rights = seL4_AllRights,
		.attributes = space == &guest.space ? seL4_X86_EPT_Default_VMAttributes
						    : seL4_X86_Default_VMAttributes,
		.bits = PAGE_BITS,
	};

	return mapping.frame &&
		!seL4_CNode_Copy(seL4_CapInitThreadCNode, mapping.frame, seL4_WordBits,
			seL4_CapInitThreadCNode, frame, seL4_WordBits, seL4_AllRights) &&
		!space_prepare(space, address, PAGE_BITS) && !space_map(space, &mapping);
}

static bool guest_make(void) {
	seL4_CPtr memory = object_make(OBJECT_PAGE, 0);

	guest.state = object_make(OBJECT_PAGE, 0);
	return memory && guest.state && !space_make(&guest.space, &space_guest) &&
		share(memory, &guest.space, 0) && share(memory, workers_space(), MEMORY_ADDRESS) &&
		share(guest.state, workers_space(), STATE_ADDRESS);
}

// The rest is a worker's, which has both pages.

static seL4_Word clear(seL4_Word) {
	memset((void *)STATE_ADDRESS, 0, VCPU_STATE_SIZE);
	memset((void *)MEMORY_ADDRESS, 0, 1ul << PAGE_BITS);
	memcpy((void *)(MEMORY_ADDRESS + CODE), code, sizeof(code));
	return 0;
}

static seL4_Word prepare(seL4_Word) {
	struct vcpu_state_page *page = (void *)STATE_ADDRESS;
	const struct vcpu_segment data = {0x10, ATTRIBUTES_DATA, UINT32_MAX, 0};
	const struct vcpu_segment none = {0, VCPU_SEGMENT_UNUSABLE, 0, 0};

	page->rip = CODE;
	page->rflags = FLAGS_FIXED;
	page->cr0 = CR0_PE | CR0_ET | CR0_NE;
	page->dr6 = 0xffff0ff0;
	page->dr7 = DR7_FIXED;
	page->xcr0 = XCR0_X87;
	page->pat = PAT_RESET;
	page->controls = VCPU_EXITS_HLT | VCPU_ALLOWS_REAL_MODE;
	for (unsigned i = VCPU_ES; i <= VCPU_DS; i++)
		page->segments[i] = data;
	page->segments[VCPU_CS] = (struct vcpu_segment){8, ATTRIBUTES_CODE, UINT32_MAX, 0};
	for (unsigned i = VCPU_FS; i <= VCPU_LDTR; i++)
		page->segments[i] = none;
	page->segments[VCPU_TR] = (struct vcpu_segment){0, ATTRIBUTES_TSS, 0x67, 0};
	for (unsigned i = 0; i < VCPU_EXIT_REASONS; i++)
		page->save[i] = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS;
	page->dirty = BIT(VCPU_GROUPS) - 1;
	return page->controls_offered & VCPU_ALLOWS_REAL_MODE;
}

// Runs it to an exit, whose reason is the result.
static seL4_Word enter(seL4_Word) {
	struct sel4_registers run = {0};

	sel4_syscall(SYSCALL_VCPU_RUN, &run);
	return run.rsi;
}

static seL4_Word skip_cpuid(seL4_Word) {
	struct vcpu_state_page *page = (void *)STATE_ADDRESS;

	page->rip += CODE_HLT - CODE_CPUID;
	page->dirty = VCPU_GROUP_RIP;
	return *(volatile uint32_t *)(MEMORY_ADDRESS + WORD);
}

static seL4_Word place(seL4_Word) { return ((struct vcpu_state_page *)STATE_ADDRESS)->rip; }

// Has the worker do one of the above, which is to have this result.
static bool expect(struct selftest *run, struct worker *worker, seL4_Word (*work)(seL4_Word),
	seL4_Word result, const char *what) {
	bool is_done = worker_does(run, worker, work, 0);

	if (is_done && worker->result == result) return true;
	if (is_done)
		selftest_fail(run,
			"on core %lu: %s is 0x%lx, not 0x%lx; no guest is started; try svm=off or "
			"vmx=off",
			worker->core, what, worker->result, result);
	run->faults.guests = true;
	return false;
}

static void check_core(struct selftest *run, struct worker *worker) {
	if (seL4_TCB_SetEPTRoot(worker->thread.tcb, guest.space.root) ||
		seL4_X86_VCPU_SetTCB(guest.vcpu, worker->thread.tcb) ||
		!worker_does(run, worker, clear, 0) ||
		nacre_VCPU_SetStatePage(guest.vcpu, guest.state)) {
		selftest_fail(run, "the kernel gives core %lu no guest", worker->core);
		run->faults.guests = true;
		return;
	}
	if (!worker_does(run, worker, prepare, 0)) return;
	if (!worker->result) {
		selftest_skip(run, "the CPU has no unrestricted guest mode: no guest is started");
		return;
	}
	(void)(expect(run, worker, enter, VCPU_EXIT_CPUID, "the first exit") &&
		expect(run, worker, skip_cpuid, VALUE, "what it wrote") &&
		expect(run, worker, enter, VCPU_EXIT_HLT, "the second exit") &&
		expect(run, worker, place, CODE_HLT, "the place of its HLT"));
}

void selftest_guest(struct selftest *run) {
	seL4_Word cores = run->is_full ? run->bootinfo->numNodes : 1;

	if (!cpu_may_run_guests()) {
		selftest_skip(run, "this CPU has no VT-x or AMD-V");
		return;
	}
	guest.vcpu = object_make(OBJECT_VCPU, 0);
	if (!guest.vcpu) {
		selftest_skip(run, "no VT-x or AMD-V: the boot log says why");
		return;
	}
	if (!guest_make()) {
		selftest_skip(run, "no memory for a guest");
		return;
	}
	for (seL4_Word core = 0; core < cores && !run->faults.guests && !run->reason; core++) {
		if (selftest_may_use(run, core)) check_core(run, worker_of(core));
	}
}
