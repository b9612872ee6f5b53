// SPDX-License-Identifier: BSD-2-Clause
// A guest in real mode, for tests and measurements whose guests are a few bytes of code.
#include "real_guest.h"
#include <x86/cr.h>
#include <x86/vmx.h>
#include "world.h"

enum { EPT_WRITE_BACK = 6 }; // seL4_X86_EPT_Default_VMAttributes

// Real mode, flat from 0; what is not here is 0 (SDM 3C 25.4 and 27.3.1.2).
static const struct field_value {
	uint32_t field;
	uint32_t value;
} fields[] = {
	{VMCS_GUEST_ES_SELECTOR, 0},
	{VMCS_GUEST_CS_SELECTOR, 0},
	{VMCS_GUEST_SS_SELECTOR, 0},
	{VMCS_GUEST_DS_SELECTOR, 0},
	{VMCS_GUEST_FS_SELECTOR, 0},
	{VMCS_GUEST_GS_SELECTOR, 0},
	{VMCS_GUEST_LDTR_SELECTOR, 0},
	{VMCS_GUEST_TR_SELECTOR, 0},
	{VMCS_GUEST_DEBUGCTL, 0},
	{VMCS_GUEST_EFER, 0},
	{VMCS_PIN_CONTROLS, 0},
	{VMCS_EXCEPTION_BITMAP, 0},
	{VMCS_EXIT_CONTROLS, 0},
	{VMCS_ENTRY_CONTROLS, ENTRY_LOAD_DEBUG | ENTRY_LOAD_EFER},
	{VMCS_SECONDARY_CONTROLS, SECONDARY_UNRESTRICTED},
	{VMCS_GUEST_ES_LIMIT, 0xffff},
	{VMCS_GUEST_CS_LIMIT, 0xffff},
	{VMCS_GUEST_SS_LIMIT, 0xffff},
	{VMCS_GUEST_DS_LIMIT, 0xffff},
	{VMCS_GUEST_FS_LIMIT, 0xffff},
	{VMCS_GUEST_GS_LIMIT, 0xffff},
	{VMCS_GUEST_LDTR_LIMIT, 0xffff},
	{VMCS_GUEST_TR_LIMIT, 0xffff},
	{VMCS_GUEST_GDTR_LIMIT, 0xffff},
	{VMCS_GUEST_IDTR_LIMIT, 0xffff},
	{VMCS_GUEST_ES_ACCESS, 0x93},
	{VMCS_GUEST_CS_ACCESS, 0x9b},
	{VMCS_GUEST_SS_ACCESS, 0x93},
	{VMCS_GUEST_DS_ACCESS, 0x93},
	{VMCS_GUEST_FS_ACCESS, 0x93},
	{VMCS_GUEST_GS_ACCESS, 0x93},
	{VMCS_GUEST_LDTR_ACCESS, 0x10000},
	{VMCS_GUEST_TR_ACCESS, 0x8b},
	{VMCS_GUEST_INTERRUPTIBILITY, 0},
	{VMCS_GUEST_ACTIVITY, 0},
	{VMCS_CR0_MASK, 0},
	{VMCS_CR4_MASK, 0},
	{VMCS_CR0_SHADOW, 0},
	{VMCS_CR4_SHADOW, 0},
	{VMCS_GUEST_CR0, CR0_NE | CR0_ET},
	{VMCS_GUEST_CR3, 0},
	{VMCS_GUEST_CR4, 0},
	{VMCS_GUEST_ES_BASE, 0},
	{VMCS_GUEST_CS_BASE, 0},
	{VMCS_GUEST_SS_BASE, 0},
	{VMCS_GUEST_DS_BASE, 0},
	{VMCS_GUEST_FS_BASE, 0},
	{VMCS_GUEST_GS_BASE, 0},
	{VMCS_GUEST_LDTR_BASE, 0},
	{VMCS_GUEST_TR_BASE, 0},
	{VMCS_GUEST_GDTR_BASE, 0},
	{VMCS_GUEST_IDTR_BASE, 0},
	{VMCS_GUEST_DR7, 0x400},
	{VMCS_GUEST_RSP, 0x1000},
	{VMCS_GUEST_RFLAGS, 2},
	{VMCS_GUEST_PENDING_DEBUG, 0},
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

void guest_page_map(uint64_t frame, uint64_t space, uint64_t address) {
	CHECK_OK(invoke(frame, LABEL_FRAME_MAP_EPT, CAPS(space),
		WORDS(address, RIGHT_READ | RIGHT_WRITE, EPT_WRITE_BACK)));
}

void guest_reset(uint64_t vcpu, uint64_t tcb, uint64_t space) {
	CHECK_OK(invoke(vcpu, LABEL_VCPU_SET_TCB, CAPS(tcb), WORDS()));
	CHECK_OK(invoke(tcb, LABEL_TCB_SET_EPT_ROOT, CAPS(space), WORDS()));
	for (unsigned index = 0; index < array_count(fields); index++)
		CHECK_OK(invoke(vcpu, LABEL_VCPU_WRITE_VMCS, CAPS(),
			WORDS(fields[index].field, fields[index].value)));
}
