// SPDX-License-Identifier: BSD-2-Clause
// Operations on address spaces: tables, frames and address-space identifiers of native, guest and
// device formats.
#pragma once

#include <sel4/syscalls.h>

// All tables are mapped alike: the address is rounded down to what the table spans.
static inline seL4_Error sel4_invoke_table_map(seL4_CPtr table, seL4_Word label, seL4_CPtr space,
	seL4_Word address, seL4_Word attributes) {
	struct sel4_invocation call = {
		.label = label, .caps = 1, .length = 2, .words = {address, attributes}};

	seL4_SetCap(0, space);
	return sel4_invoke(table, &call);
}

static inline seL4_Error seL4_X86_PDPT_Map(
	seL4_X86_PDPT _service, seL4_X64_PML4 pml4, seL4_Word vaddr, seL4_X86_VMAttributes attr) {
	return sel4_invoke_table_map(_service, LABEL_PDPT_MAP, pml4, vaddr, attr);
}

static inline seL4_Error seL4_X86_PDPT_Unmap(seL4_X86_PDPT _service) {
	return sel4_invoke_plain(_service, LABEL_PDPT_UNMAP);
}

static inline seL4_Error seL4_X86_PageDirectory_Map(seL4_X86_PageDirectory _service,
	seL4_CPtr vspace, seL4_Word vaddr, seL4_X86_VMAttributes attr) {
	return sel4_invoke_table_map(_service, LABEL_PAGE_DIRECTORY_MAP, vspace, vaddr, attr);
}

static inline seL4_Error seL4_X86_PageDirectory_Unmap(seL4_X86_PageDirectory _service) {
	return sel4_invoke_plain(_service, LABEL_PAGE_DIRECTORY_UNMAP);
}

static inline seL4_Error seL4_X86_PageTable_Map(seL4_X86_PageTable _service, seL4_CPtr vspace,
	seL4_Word vaddr, seL4_X86_VMAttributes attr) {
	return sel4_invoke_table_map(_service, LABEL_PAGE_TABLE_MAP, vspace, vaddr, attr);
}

static inline seL4_Error seL4_X86_PageTable_Unmap(seL4_X86_PageTable _service) {
	return sel4_invoke_plain(_service, LABEL_PAGE_TABLE_UNMAP);
}

static inline seL4_Error seL4_X86_EPTPDPT_Map(seL4_X86_EPTPDPT _service, seL4_X86_EPTPML4 eptpml4,
	seL4_Word gpa, seL4_X86_EPT_VMAttributes attr) {
	return sel4_invoke_table_map(_service, LABEL_EPT_PDPT_MAP, eptpml4, gpa, attr);
}

static inline seL4_Error seL4_X86_EPTPDPT_Unmap(seL4_X86_EPTPDPT _service) {
	return sel4_invoke_plain(_service, LABEL_EPT_PDPT_UNMAP);
}

static inline seL4_Error seL4_X86_EPTPD_Map(seL4_X86_EPTPD _service, seL4_X86_EPTPML4 eptpml4,
	seL4_Word gpa, seL4_X86_EPT_VMAttributes attr) {
	return sel4_invoke_table_map(_service, LABEL_EPT_PD_MAP, eptpml4, gpa, attr);
}

static inline seL4_Error seL4_X86_EPTPD_Unmap(seL4_X86_EPTPD _service) {
	return sel4_invoke_plain(_service, LABEL_EPT_PD_UNMAP);
}

static inline seL4_Error seL4_X86_EPTPT_Map(seL4_X86_EPTPT _service, seL4_X86_EPTPML4 eptpml4,
	seL4_Word gpa, seL4_X86_EPT_VMAttributes attr) {
	return sel4_invoke_table_map(_service, LABEL_EPT_PT_MAP, eptpml4, gpa, attr);
}

static inline seL4_Error seL4_X86_EPTPT_Unmap(seL4_X86_EPTPT _service) {
	return sel4_invoke_plain(_service, LABEL_EPT_PT_UNMAP);
}

static inline seL4_Error seL4_X86_IOPageTable_Map(
	seL4_X86_IOPageTable _service, seL4_X86_IOSpace iospace, seL4_Word ioaddr) {
	struct sel4_invocation call = {
		.label = LABEL_IO_PAGE_TABLE_MAP, .caps = 1, .length = 1, .words = {ioaddr}};

	seL4_SetCap(0, iospace);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_X86_IOPageTable_Unmap(seL4_X86_IOPageTable _service) {
	return sel4_invoke_plain(_service, LABEL_IO_PAGE_TABLE_UNMAP);
}

static inline seL4_Error seL4_X86_Page_Map(seL4_X86_Page _service, seL4_CPtr vspace,
	seL4_Word vaddr, seL4_CapRights_t rights, seL4_X86_VMAttributes attr) {
	struct sel4_invocation call = {.label = LABEL_FRAME_MAP,
		.caps = 1,
		.length = 3,
		.words = {vaddr, rights.words[0], attr}};

	seL4_SetCap(0, vspace);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_X86_Page_MapEPT(seL4_X86_Page _service, seL4_X86_EPTPML4 vspace,
	seL4_Word vaddr, seL4_CapRights_t rights, seL4_X86_EPT_VMAttributes attr) {
	struct sel4_invocation call = {.label = LABEL_FRAME_MAP_EPT,
		.caps = 1,
		.length = 3,
		.words = {vaddr, rights.words[0], attr}};

	seL4_SetCap(0, vspace);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_X86_Page_MapIO(seL4_X86_Page _service, seL4_X86_IOSpace iospace,
	seL4_CapRights_t rights, seL4_Word ioaddr) {
	struct sel4_invocation call = {.label = LABEL_FRAME_MAP_IO,
		.caps = 1,
		.length = 2,
		.words = {rights.words[0], ioaddr}};

	seL4_SetCap(0, iospace);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_X86_Page_Unmap(seL4_X86_Page _service) {
	return sel4_invoke_plain(_service, LABEL_FRAME_UNMAP);
}

typedef struct seL4_X86_Page_GetAddress {
	int error;
	seL4_Word paddr;
} seL4_X86_Page_GetAddress_t;

static inline seL4_X86_Page_GetAddress_t seL4_X86_Page_GetAddress(seL4_X86_Page _service) {
	struct sel4_invocation call = {.label = LABEL_FRAME_GET_ADDRESS};
	seL4_Error error = sel4_invoke(_service, &call);

	return (seL4_X86_Page_GetAddress_t){(int)error, call.words[0]};
}

static inline seL4_Error seL4_X86_ASIDControl_MakePool(seL4_X86_ASIDControl _service,
	seL4_Untyped untyped, seL4_CNode root, seL4_Word index, seL4_Uint8 depth) {
	struct sel4_invocation call = {.label = LABEL_ASID_CONTROL_MAKE_POOL,
		.caps = 2,
		.length = 2,
		.words = {index, depth}};

	seL4_SetCap(0, untyped);
	seL4_SetCap(1, root);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_X86_ASIDPool_Assign(seL4_X86_ASIDPool _service, seL4_CPtr vspace) {
	return sel4_invoke_cap(_service, LABEL_ASID_POOL_ASSIGN, vspace);
}
