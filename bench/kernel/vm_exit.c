// SPDX-License-Identifier: BSD-2-Clause
// What does a VM exit cost, to the VMM and back? The guest is a few bytes of real-mode code that
// reads the time stamp counter and exits; the VMM's thread enters it at its start again and again.
#include "bench.h"
#include <abi/vcpu.h>
#include <base/memory.h>

enum { GUEST_CODE = 0x100, GUEST_HOLE = 0x3000, CODE_SIZE = 16, PRIMARY_HLT = 1 << 7 };

enum way { ROUND_TRIP, INTO_GUEST, OUT_OF_GUEST };

// A row's setting.
#define WAY_OF(guest, way) ((guest) << 2 | (way))
enum { WAY_MASK = 3, GUEST_SHIFT = 2 };

// Words of the exit record (VCPU-5).
enum { WORD_EAX = 10, WORD_EDX = 13 };

// RDTSC begins each, so that edx:eax says when the guest came to run.
static const struct guest_row {
	uint64_t reason;
	uint64_t size;
	uint8_t code[CODE_SIZE];
} guests[] = {
	{10, 4, {0x0f, 0x31, 0x0f, 0xa2}}, // CPUID
	{12, 3, {0x0f, 0x31, 0xf4}}, // HLT
	{30, 4, {0x0f, 0x31, 0xe4, 0x60}}, // in al, 0x60
	{30, 4, {0x0f, 0x31, 0xe6, 0x60}}, // out 0x60, al
	{48, 6, {0x0f, 0x31, 0x8a, 0x1e, GUEST_HOLE & 0xff, GUEST_HOLE >> 8}}, // mov bl, [hole]
	{18, 5, {0x0f, 0x31, 0x0f, 0x01, 0xc1}}, // VMCALL
};

enum guest { CPUID, HLT, PORT_IN, PORT_OUT, EPT_VIOLATION, VMCALL };

// Real mode, flat from 0; what is not here is 0 (SDM 3C 25.4 and 27.3.1.2).
static const struct field_value {
	uint32_t field;
	uint32_t value;
} fields[] = {
	{0x0800, 0}, {0x0802, 0}, {0x0804, 0}, {0x0806, 0}, {0x0808, 0}, {0x080a, 0}, // ES to GS
	{0x080c, 0}, {0x080e, 0}, // LDTR, TR
	{0x2802, 0}, {0x2806, 0}, // DEBUGCTL, EFER
	{0x4000, 0}, {0x4004, 0}, {0x400c, 0}, // pin, exceptions, exit
	{0x4012, 0x8004}, // entry: load debug controls and EFER
	{0x401e, 0x80}, // unrestricted guest
	{0x4800, 0xffff}, {0x4802, 0xffff}, {0x4804, 0xffff}, {0x4806, 0xffff}, {0x4808, 0xffff},
	{0x480a, 0xffff}, {0x480c, 0xffff}, {0x480e, 0xffff}, {0x4810, 0xffff}, {0x4812, 0xffff},
	{0x4814, 0x93}, {0x4816, 0x9b}, {0x4818, 0x93}, {0x481a, 0x93}, {0x481c, 0x93},
	{0x481e, 0x93}, {0x4820, 0x10000}, {0x4822, 0x8b}, {0x4824, 0},
	{0x4826, 0}, // interruptibility, activity
	{0x6000, 0}, {0x6002, 0}, {0x6004, 0}, {0x6006, 0}, // masks, shadows
	{0x6800, 0x30}, {0x6802, 0}, {0x6804, 0}, // CR0: NE, ET
	{0x6806, 0}, {0x6808, 0}, {0x680a, 0}, {0x680c, 0}, {0x680e, 0}, {0x6810, 0}, // bases
	{0x6812, 0}, {0x6814, 0}, {0x6816, 0}, {0x6818, 0}, {0x681a, 0x400}, {0x681c, 0x1000},
	{0x6820, 2}, {0x6822, 0}, // DR7, RSP, RFLAGS
};

uint64_t guest_space_new(void) {
	static const struct {
		uint64_t type;
		uint64_t label;
	} levels[] = {
		{OBJECT_EPT_PDPT, LABEL_EPT_PDPT_MAP},
		{OBJECT_EPT_PD, LABEL_EPT_PD_MAP},
		{OBJECT_EPT_PT, LABEL_EPT_PT_MAP},
	};
	uint64_t space = object_new(OBJECT_EPT_PML4, 0);

	CHECK_OK(invoke(ROOT_SLOT_ASID_POOL, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()));
	for (unsigned level = 0; level < array_count(levels); level++)
		CHECK_OK(table_map(
			object_new(levels[level].type, 0), levels[level].label, space, 0));
	return space;
}

static void code_place(uint64_t space, const struct guest_row *guest) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	uint64_t inside = cap_copy(frame);

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE));
	memcpy((void *)(TEST_ADDRESS + GUEST_CODE), guest->code, guest->size);
	CHECK_OK(invoke(inside, LABEL_FRAME_MAP_EPT, CAPS(space),
		WORDS(0, RIGHT_READ | RIGHT_WRITE, seL4_X86_EPT_Default_VMAttributes)));
}

// The running thread becomes the virtual CPU's.
static void guest_make(uint64_t vcpu, const struct guest_row *guest) {
	uint64_t space = guest_space_new();

	code_place(space, guest);
	CHECK_OK(invoke(vcpu, LABEL_VCPU_SET_TCB, CAPS(ROOT_SLOT_TCB), WORDS()));
	CHECK_OK(invoke(ROOT_SLOT_TCB, LABEL_TCB_SET_EPT_ROOT, CAPS(space), WORDS()));
	for (unsigned index = 0; index < array_count(fields); index++)
		CHECK_EQUAL(seL4_X86_VCPU_WriteVMCS(vcpu, fields[index].field, fields[index].value)
				    .error,
			seL4_NoError);
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
	{"vm-enter", enter_measure, WAY_OF(CPUID, INTO_GUEST)},
	{"vm-leave", enter_measure, WAY_OF(CPUID, OUT_OF_GUEST)},
};

ROW_FILE(vm_exit);
