// SPDX-License-Identifier: BSD-2-Clause
// What does a VM exit cost, to the VMM and back? The guest is a few bytes of real-mode code that
// reads the time stamp counter and exits; the VMM's thread enters it at its start again and again.
#include "bench.h"
#include <real_guest.h>
#include <abi/vcpu.h>
#include <base/memory.h>
#include <x86/cpuid.h>
#include <x86/instructions.h>
#include <x86/vmx.h>

enum { GUEST_CODE = 0x100, GUEST_HOLE = 0x3000, CODE_SIZE = 16, VMMCALL_LAST = 0xd9 };

enum way { ROUND_TRIP, INTO_GUEST, OUT_OF_GUEST, BY_PAGE };

// A row's setting.
#define WAY_OF(guest, way) ((guest) << 2 | (way))
enum { WAY_MASK = 3, GUEST_SHIFT = 2 };

// Words of the exit record (VCPU-5).
enum { WORD_EAX = 10, WORD_EDX = 13 };

// RDTSC begins each, so that edx:eax is the time at which the guest started.
static const struct guest_row {
	uint64_t reason;
	uint64_t size;
	uint8_t code[CODE_SIZE];
} guests[] = {
	{REASON_CPUID, 4, {0x0f, 0x31, 0x0f, 0xa2}}, // CPUID
	{REASON_HLT, 3, {0x0f, 0x31, 0xf4}}, // HLT
	{REASON_IO, 4, {0x0f, 0x31, 0xe4, 0x60}}, // in al, 0x60
	{REASON_IO, 4, {0x0f, 0x31, 0xe6, 0x60}}, // out 0x60, al
	{REASON_EPT_VIOLATION, 6,
		{0x0f, 0x31, 0x8a, 0x1e, GUEST_HOLE & 0xff, GUEST_HOLE >> 8}}, // mov bl, [hole]
	{REASON_VMCALL, 5, {0x0f, 0x31, 0x0f, 0x01, 0xc1}}, // VMCALL
};

enum guest { CPUID, HLT, PORT_IN, PORT_OUT, EPT_VIOLATION, VMCALL };

static bool has_svm(void) { return cpuid(LEAF_EXTENDED_FEATURES, 0).ecx & EXTENDED_ECX_SVM; }

static void code_place(uint64_t space, const struct guest_row *guest) {
	uint8_t *code = (uint8_t *)(TEST_ADDRESS + GUEST_CODE);
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE));
	memcpy(code, guest->code, guest->size);
	// AMD's instruction differs from Intel's in its last byte.
	if (guest->reason == REASON_VMCALL && has_svm()) code[guest->size - 1] = VMMCALL_LAST;
	guest_page_map(cap_copy(frame), space, 0);
}

// The running thread becomes the virtual CPU's.
static void guest_make(uint64_t vcpu, const struct guest_row *guest) {
	uint64_t space = guest_space_new();

	code_place(space, guest);
	guest_reset(vcpu, ROOT_SLOT_TCB, space);
}

// The same by the state page, as a monitor that emulates the instruction does it.
static struct vcpu_state_page *page_make(uint64_t vcpu) {
	const uint64_t address = TEST_ADDRESS + (1ul << PAGE_BITS);
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	struct vcpu_state_page *page = (struct vcpu_state_page *)address;

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, address, RIGHT_READ | RIGHT_WRITE));
	CHECK_OK(invoke(vcpu, LABEL_VCPU_SET_STATE_PAGE, CAPS(frame), WORDS()));
	for (unsigned i = 0; i < VCPU_EXIT_REASONS; i++)
		page->save[i] = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS;
	page->save[VCPU_EXIT_MEMORY] |= VCPU_GROUP_ADDRESS;
	page->controls = VCPU_EXITS_HLT;
	page->dirty = VCPU_GROUP_CONTROLS;
	return page;
}

static void page_measure(uint64_t vcpu, const struct guest_row *guest) {
	struct vcpu_state_page *page = page_make(vcpu);

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {};
		uint64_t begin, end;

		page->rip = GUEST_CODE;
		page->dirty |= VCPU_GROUP_RIP;
		begin = ticks_begin();
		sel4_syscall(SYSCALL_VCPU_RUN, &registers);
		end = ticks_end();
		CHECK_EQUAL(registers.rsi, guest->reason);
		CHECK_EQUAL(page->reason, guest->reason);
		CHECK_EQUAL(page->rip, GUEST_CODE + 2); // behind RDTSC
		sample_add(end - begin);
	}
}

// Both of the guest's reads are of one counter, without an offset.
static void enter_measure(const struct row *row) {
	const struct guest_row *guest = &guests[row->setting >> GUEST_SHIFT];
	enum way way = (enum way)(row->setting & WAY_MASK);
	uint64_t vcpu = slot_take();

	if (retype_one(world.arena, OBJECT_VCPU, 0, vcpu).label == ERROR_ILLEGAL_OPERATION) {
		row_skip("this machine has no VT-x");
		return;
	}
	guest_make(vcpu, guest);
	if (way == BY_PAGE) {
		page_measure(vcpu, guest);
		return;
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.words = {GUEST_CODE, PRIMARY_HLT, 0}};
		uint64_t begin = ticks_begin();
		uint64_t end;
		uint64_t inside;

		sel4_syscall(SYSCALL_VM_ENTER, &registers);
		end = ticks_end();
		CHECK_EQUAL(registers.rsi, VM_ENTER_FAULT);
		CHECK_EQUAL(registers.words[3], guest->reason);
		inside = seL4_GetMR(WORD_EDX) << 32 | seL4_GetMR(WORD_EAX);
		sample_add((way == INTO_GUEST ? inside : end) -
			(way == OUT_OF_GUEST ? inside : begin));
	}
}

static const struct row rows[] = {
	{"vm-exit-cpuid", enter_measure, WAY_OF(CPUID, ROUND_TRIP)},
	{"vm-exit-hlt", enter_measure, WAY_OF(HLT, ROUND_TRIP)},
	{"vm-exit-port-in", enter_measure, WAY_OF(PORT_IN, ROUND_TRIP)},
	{"vm-exit-port-out", enter_measure, WAY_OF(PORT_OUT, ROUND_TRIP)},
	{"vm-exit-ept-violation", enter_measure, WAY_OF(EPT_VIOLATION, ROUND_TRIP)},
	{"vm-exit-vmcall", enter_measure, WAY_OF(VMCALL, ROUND_TRIP)},
	{"vm-page-cpuid", enter_measure, WAY_OF(CPUID, BY_PAGE)},
	{"vm-page-hlt", enter_measure, WAY_OF(HLT, BY_PAGE)},
	{"vm-page-port-in", enter_measure, WAY_OF(PORT_IN, BY_PAGE)},
	{"vm-page-port-out", enter_measure, WAY_OF(PORT_OUT, BY_PAGE)},
	{"vm-page-ept-violation", enter_measure, WAY_OF(EPT_VIOLATION, BY_PAGE)},
	{"vm-enter", enter_measure, WAY_OF(CPUID, INTO_GUEST)},
	{"vm-leave", enter_measure, WAY_OF(CPUID, OUT_OF_GUEST)},
};

ROW_FILE(vm_exit);
