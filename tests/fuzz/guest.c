// SPDX-License-Identifier: BSD-2-Clause
// A guest in real mode, with the arena as its memory from address 0.
#include "guest.h"

#include <base/compiler.h>

#include "pool.h"

struct field {
	uint16_t number; // VMCS encoding
	uint32_t value;
};

// All other fields may stay 0.
static const struct field real_mode[] = {
	{0x4012, 0}, // entry controls: not a 64-bit guest
	{0x401e, 0x80}, // unrestricted guest
	{0x4800, 0xffff}, // limits: ES, CS, SS, DS, FS, GS, LDTR, TR, GDTR, IDTR
	{0x4802, 0xffff}, {0x4804, 0xffff}, {0x4806, 0xffff}, {0x4808, 0xffff}, {0x480a, 0xffff},
	{0x480c, 0xffff}, {0x480e, 0xffff}, {0x4810, 0xffff}, {0x4812, 0xffff},
	{0x4814, 0x93}, // access rights, in the same order
	{0x4816, 0x9b}, {0x4818, 0x93}, {0x481a, 0x93}, {0x481c, 0x93}, {0x481e, 0x93},
	{0x4820, 0x82}, {0x4822, 0x8b}, {0x6800, 0x30}, // CR0: NE, ET
	{0x6804, 0}, // CR4: what must be
	{0x681a, 0x400}, // DR7
	{0x681c, 0x8000}, // RSP
	{0x6820, 2}, // RFLAGS
};

// The guest-physical space of all guests; its tables and its frame are used up by the first.
static void memory_prepare(seL4_CPtr space) {
	seL4_CPtr frame = pool_take();

	(void)seL4_X86_EPTPDPT_Map(pool_nth(POOL_GUEST_PDPT, 0), space, 0, 0);
	(void)seL4_X86_EPTPD_Map(pool_nth(POOL_GUEST_DIRECTORY, 0), space, 0, 0);
	(void)seL4_CNode_Copy(seL4_CapInitThreadCNode, frame, seL4_WordBits,
		seL4_CapInitThreadCNode, arena_frame(), seL4_WordBits, seL4_AllRights);
	(void)seL4_X86_Page_MapEPT(frame, space, 0, seL4_AllRights,
		(seL4_X86_VMAttributes)seL4_X86_EPT_Default_VMAttributes);
}

void guest_prepare(unsigned n) {
	seL4_CPtr vcpu = pool_nth(POOL_VCPU, n);
	seL4_CPtr tcb = pool_nth(POOL_TCB, n);
	seL4_CPtr space = pool_nth(POOL_GUEST_SPACE, 0);

	if (seL4_X86_VCPU_SetTCB(vcpu, tcb)) return;
	if (n == 0) memory_prepare(space);
	(void)seL4_TCB_SetEPTRoot(tcb, space);
	for (unsigned i = 0; i < array_count(real_mode); i++)
		(void)seL4_X86_VCPU_WriteVMCS(vcpu, real_mode[i].number, real_mode[i].value);
}
