// SPDX-License-Identifier: BSD-2-Clause
// Changes between two runs by the state page of a guest that is prepared: the next run goes by
// them. And two VCPUs with one page.
#include "helper.h"
#include "page.h"
#include "test.h"

#include <x86/msr.h>

CODE_DECLARE(code_avx);
CODE_DECLARE(code_cpuid);
CODE_DECLARE(code_debug_registers);
CODE_DECLARE(code_rdmsr);
CODE_DECLARE(code_vmcall);

enum { RBX = 3, RCX = 1, R8 = 8, XCR0_X87_SSE_AVX = 7 };

static struct guest *const guest = &guest_one;

// Changes nothing that calls for preparing.
static uint64_t run_from(uint64_t rip) {
	page->rip = rip;
	page->dirty = VCPU_GROUP_RIP;
	return page_run();
}

static void prepare(const struct code *code, uint64_t reason) {
	page_give(guest, code);
	CHECK_EQUAL(page_run(), reason);
	CHECK_EQUAL(run_from(GUEST_CODE), reason);
}

// Which machine's memory the code comes from shows by its exit.
static void change_root(const struct test *) {
	guest_reset(&guest_two, CODE(code_cpuid));
	prepare(CODE(code_vmcall), VCPU_EXIT_HYPERCALL);
	CHECK_EQUAL(seL4_TCB_SetEPTRoot(seL4_CapInitThreadTCB, guest_two.space.root), 0);
	CHECK_EQUAL(run_from(GUEST_CODE), VCPU_EXIT_CPUID);
	CHECK_EQUAL(seL4_TCB_SetEPTRoot(seL4_CapInitThreadTCB, guest->space.root), 0);
	CHECK_EQUAL(run_from(GUEST_CODE), VCPU_EXIT_HYPERCALL);
	CHECK_EQUAL(
		seL4_CNode_Revoke(seL4_CapInitThreadCNode, guest->space.root, seL4_WordBits), 0);
	CHECK_EQUAL(run_from(GUEST_CODE), VCPU_EXIT_MEMORY);
	page_take(guest);
}

static void change_msr_access(const struct test *) {
	prepare(CODE(code_rdmsr), VCPU_EXIT_RDMSR);
	CHECK_EQUAL(nacre_VCPU_SetMSRAccess(guest->vcpu, MSR_STAR, VCPU_MSR_READ), 0);
	CHECK_EQUAL(run_from(GUEST_CODE), VCPU_EXIT_HYPERCALL);
	CHECK_EQUAL(nacre_VCPU_SetMSRAccess(guest->vcpu, MSR_STAR, 0), 0);
	CHECK_EQUAL(run_from(GUEST_CODE), VCPU_EXIT_RDMSR);
	page_take(guest);
}

static void change_breakpoints(const struct test *) {
	prepare(CODE(code_debug_registers), VCPU_EXIT_HYPERCALL);
	page->dr[0] = 0x1230;
	page->rip += 3;
	page->dirty = VCPU_GROUP_BREAKPOINTS | VCPU_GROUP_RIP;
	CHECK_EQUAL(page_run(), VCPU_EXIT_HYPERCALL);
	CHECK_EQUAL(page->registers[R8], 0x1230);
	page_take(guest);
}

static void change_xcr0(const struct test *) {
	prepare(CODE(code_vmcall), VCPU_EXIT_HYPERCALL);
	page->xcr0 = 2;
	page->dirty = VCPU_GROUP_XCR0;
	CHECK_EQUAL(page_run(), VCPU_EXIT_VALUE_REFUSED);
	CHECK_EQUAL(page->dirty, VCPU_GROUP_XCR0);
	page_take(guest);
	if ((page->xcr0_offered & XCR0_X87_SSE_AVX) != XCR0_X87_SSE_AVX) {
		test_skip("this CPU has no AVX");
		return;
	}
	prepare(CODE(code_avx), VCPU_EXIT_HYPERCALL); // #UD
	CHECK_EQUAL(page->registers[0], 0x106);
	page->xcr0 = XCR0_X87_SSE_AVX;
	page->rip = GUEST_CODE;
	page->registers[RBX] = 0x123456789;
	page->dirty = VCPU_GROUP_XCR0 | VCPU_GROUP_RIP;
	CHECK_EQUAL(page_run(), VCPU_EXIT_HYPERCALL);
	CHECK_EQUAL(run_from(page->rip + 3), VCPU_EXIT_HYPERCALL);
	CHECK_EQUAL(page->registers[RCX], 0x123456789);
	page_take(guest);
}

static void choose(const struct guest *machine) {
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(machine->vcpu, seL4_CapInitThreadTCB), 0);
	CHECK_EQUAL(seL4_TCB_SetEPTRoot(seL4_CapInitThreadTCB, machine->space.root), 0);
}

// Each exit reads the breakpoints out of the registers, where those of the other one are next.
static void run_shared(const struct guest *machine, uint64_t rip, uint64_t first) {
	choose(machine);
	page->registers[RBX] = first;
	page->save[VCPU_EXIT_HYPERCALL] = PAGE_ALWAYS | VCPU_GROUP_BREAKPOINTS;
	CHECK_EQUAL(run_from(rip), VCPU_EXIT_HYPERCALL);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQUAL(page->dr[i], first + i);
}

static void page_shared(const struct test *) {
	uint64_t next;

	page_give(&guest_two, CODE(code_debug_registers));
	page_give(guest, CODE(code_debug_registers));
	run_shared(guest, GUEST_CODE, 0x1000);
	run_shared(&guest_two, GUEST_CODE, 0x2000);
	next = page->rip + 3;
	run_shared(guest, next, 0x1000);
	CHECK_EQUAL(page->registers[R8], 0x1000);
	page_take(guest);
	run_shared(&guest_two, next, 0x2000);
	CHECK_EQUAL(page->registers[R8], 0x2000);
	CHECK_EQUAL(nacre_VCPU_SetStatePage(guest->vcpu, page_frame), 0);
	CHECK_EQUAL(seL4_CNode_Revoke(seL4_CapInitThreadCNode, page_frame, seL4_WordBits), 0);
	CHECK_EQUAL(nacre_VCPU_SaveState(guest->vcpu, PAGE_ALWAYS), seL4_IllegalOperation);
	CHECK_EQUAL(nacre_VCPU_SaveState(guest_two.vcpu, PAGE_ALWAYS), seL4_IllegalOperation);
}

static const struct test tests[] = {
	{"page-change-root", "a run goes by the guest space its thread has now", change_root, NULL},
	{"page-change-msr", "a run goes by the access to MSRs that is set now", change_msr_access,
		NULL},
	{"page-change-breakpoints", "a run goes by the breakpoints from the page",
		change_breakpoints, NULL},
	{"page-change-xcr0", "a run goes by XCR0 from the page, and its registers are loaded",
		change_xcr0, NULL},
	{"page-shared", "two VCPUs run by one page, each with its own state", page_shared, NULL},
};

TEST_FILE(test_page_change);
