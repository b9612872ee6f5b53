// SPDX-License-Identifier: BSD-2-Clause
// Building the two machines, their initial state, and entering them.
#include "guest.h"

#include <base/memory.h>
#include <user/print.h>
#include <user/slots.h>
#include <user/untyped.h>
#include <x86/cr.h>
#include <x86/svm.h>

#include "test.h"

enum {
	MEMORY_ADDRESS = 0x10000000, // of this program
	STUB_SIZE = 16,
	VMMCALL_LAST = 0xd9,
	TSS_ACCESS = 0x8b,
	CODE_SELECTOR = 0x08,
	DATA_SELECTOR = 0x10,
	TSS_SELECTOR = 0x18,
};

bool guest_is_svm;
bool guest_has_lengths, guest_has_operands;
struct guest guest_one;
struct guest guest_two;

struct field_value {
	uint32_t field;
	uint64_t value;
};

// 64-bit mode, flat; everything else is 0.
static const struct field_value initial_fields[] = {
	{VMCS_GUEST_ES_SELECTOR, DATA_SELECTOR},
	{VMCS_GUEST_CS_SELECTOR, CODE_SELECTOR},
	{VMCS_GUEST_SS_SELECTOR, DATA_SELECTOR},
	{VMCS_GUEST_DS_SELECTOR, DATA_SELECTOR},
	{VMCS_GUEST_FS_SELECTOR, 0},
	{VMCS_GUEST_GS_SELECTOR, 0},
	{VMCS_GUEST_LDTR_SELECTOR, 0},
	{VMCS_GUEST_TR_SELECTOR, TSS_SELECTOR},
	{VMCS_GUEST_DEBUGCTL, 0},
	{VMCS_GUEST_PAT, PAT_RESET},
	{VMCS_GUEST_EFER, EFER_LMA | EFER_LME | EFER_SCE},
	{VMCS_PIN_CONTROLS, 0},
	{VMCS_EXCEPTION_BITMAP, 0},
	{VMCS_EXIT_CONTROLS, 0},
	{VMCS_ENTRY_CONTROLS, ENTRY_LOAD_DEBUG | ENTRY_GUEST_64 | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER},
	{VMCS_ENTRY_ERROR_CODE, 0},
	{VMCS_SECONDARY_CONTROLS, SECONDARY_UNRESTRICTED},
	{VMCS_GUEST_ES_LIMIT, 0xffffffff},
	{VMCS_GUEST_CS_LIMIT, 0xffffffff},
	{VMCS_GUEST_SS_LIMIT, 0xffffffff},
	{VMCS_GUEST_DS_LIMIT, 0xffffffff},
	{VMCS_GUEST_FS_LIMIT, 0xffffffff},
	{VMCS_GUEST_GS_LIMIT, 0xffffffff},
	{VMCS_GUEST_LDTR_LIMIT, 0},
	{VMCS_GUEST_TR_LIMIT, 0x67},
	{VMCS_GUEST_GDTR_LIMIT, 0x27}, // GDT: five descriptors
	{VMCS_GUEST_IDTR_LIMIT, 0xfff},
	{VMCS_GUEST_ES_ACCESS, 0xc093},
	{VMCS_GUEST_CS_ACCESS, 0xa09b},
	{VMCS_GUEST_SS_ACCESS, 0xc093},
	{VMCS_GUEST_DS_ACCESS, 0xc093},
	{VMCS_GUEST_FS_ACCESS, 0x10000}, // FS, GS, LDTR: unusable
	{VMCS_GUEST_GS_ACCESS, 0x10000},
	{VMCS_GUEST_LDTR_ACCESS, 0x10000},
	{VMCS_GUEST_TR_ACCESS, TSS_ACCESS},
	{VMCS_GUEST_INTERRUPTIBILITY, 0},
	{VMCS_GUEST_ACTIVITY, 0},
	{VMCS_GUEST_SYSENTER_CS, 0},
	{VMCS_PREEMPTION_TIMER, 0},
	{VMCS_CR0_MASK, 0},
	{VMCS_CR4_MASK, 0},
	{VMCS_CR0_SHADOW, 0},
	{VMCS_CR4_SHADOW, 0},
	{VMCS_GUEST_CR0, CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE},
	{VMCS_GUEST_CR3, GUEST_PML4},
	{VMCS_GUEST_CR4, CR4_OSXSAVE | CR4_OSXMMEXCPT | CR4_OSFXSR | CR4_PAE},
	{VMCS_GUEST_ES_BASE, 0},
	{VMCS_GUEST_CS_BASE, 0},
	{VMCS_GUEST_SS_BASE, 0},
	{VMCS_GUEST_DS_BASE, 0},
	{VMCS_GUEST_FS_BASE, 0},
	{VMCS_GUEST_GS_BASE, 0},
	{VMCS_GUEST_LDTR_BASE, 0},
	{VMCS_GUEST_TR_BASE, 0},
	{VMCS_GUEST_GDTR_BASE, GUEST_GDT},
	{VMCS_GUEST_IDTR_BASE, GUEST_IDT},
	{VMCS_GUEST_DR7, 0x400},
	{VMCS_GUEST_RSP, GUEST_STACK_TOP},
	{VMCS_GUEST_RFLAGS, 2},
	{VMCS_GUEST_PENDING_DEBUG, 0},
	{VMCS_GUEST_SYSENTER_ESP, 0},
	{VMCS_GUEST_SYSENTER_EIP, 0},
	{VCPU_FIELD_CR2, 0},
	{VCPU_FIELD_DR0, 0},
	{VCPU_FIELD_DR1, 0},
	{VCPU_FIELD_DR2, 0},
	{VCPU_FIELD_DR3, 0},
	{VCPU_FIELD_DR6, 0xffff0ff0},
	{VMCS_TSC_OFFSET, 0},
	{VCPU_FIELD_XCR0, 1},
	{VMCS_ENTRY_INSTRUCTION_LENGTH, 0},
	{VCPU_FIELD_STAR, 0},
	{VCPU_FIELD_LSTAR, 0},
	{VCPU_FIELD_CSTAR, 0},
	{VCPU_FIELD_FMASK, 0},
	{VCPU_FIELD_KERNEL_GS_BASE, 0},
};

void field_write(const struct guest *guest, uint64_t field, uint64_t value) {
	seL4_X86_VCPU_WriteVMCS_t written = seL4_X86_VCPU_WriteVMCS(guest->vcpu, field, value);

	if (written.error) print("field %lx cannot be written\n", field);
	check_equal(PLACE, "error of WriteVMCS", (uint64_t)written.error, 0);
}

uint64_t field_read(const struct guest *guest, uint64_t field) {
	seL4_X86_VCPU_ReadVMCS_t read = seL4_X86_VCPU_ReadVMCS(guest->vcpu, field);

	if (read.error) print("field %lx cannot be read\n", field);
	check_equal(PLACE, "error of ReadVMCS", (uint64_t)read.error, 0);
	return read.value;
}

uint64_t *guest_word(const struct guest *guest, uint64_t address) {
	return (uint64_t *)(guest->memory + address);
}

static void make_tables(const struct guest *guest) {
	const uint64_t present_writable = 3;
	const uint64_t large = 0x83;
	uint64_t *gdt = guest_word(guest, GUEST_GDT);

	*guest_word(guest, GUEST_PML4) = GUEST_PDPT | present_writable;
	*guest_word(guest, GUEST_PDPT) = GUEST_PD | present_writable;
	for (uint64_t i = 0; i < 512; i++)
		guest_word(guest, GUEST_PD)[i] = i << 21 | large;
	gdt[0] = 0;
	gdt[1] = 0x00af9b000000ffff;
	gdt[2] = 0x00cf93000000ffff;
	gdt[3] = 0x00008b0000000067;
	gdt[4] = 0;
}

void guest_set_gate(const struct guest *guest, unsigned vector, uint64_t address) {
	uint64_t *gate = guest_word(guest, GUEST_IDT + vector * 16ul);

	gate[0] = (address & 0xffff) | CODE_SELECTOR << 16 | 0x8e00ul << 32;
	gate[1] = 0;
}

// AMD's instruction for a hypercall differs from Intel's in its last byte.
static void copy_code(const struct guest *guest, uint64_t address, const struct code *code) {
	static const uint8_t vmcall[] = {0x0f, 0x01, 0xc1};
	uint8_t *copy = guest->memory + address;
	size_t size = (size_t)(code->end - code->start);

	memcpy(copy, code->start, size);
	for (size_t i = 0; guest_is_svm && i + sizeof(vmcall) <= size; i++)
		if (memcmp(copy + i, vmcall, sizeof(vmcall)) == 0) copy[i + 2] = VMMCALL_LAST;
}

static void make_stubs(const struct guest *guest) {
	for (unsigned vector = 0; vector < 256; vector++) {
		const uint8_t stub[] = {0xb8, (uint8_t)vector, 1, 0, 0, // mov eax, 0x100 + vector
			0x0f, 0x01, 0xc1, // vmcall
			0x48, 0xcf}; // iretq
		uint64_t address = GUEST_STUBS + vector * STUB_SIZE;

		copy_code(guest, address, &(const struct code){stub, stub + sizeof(stub)});
		guest_set_gate(guest, vector, address);
	}
}

void guest_reset(struct guest *guest, const struct code *code) {
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest->vcpu, seL4_CapInitThreadTCB), 0);
	CHECK_EQUAL(seL4_TCB_SetEPTRoot(seL4_CapInitThreadTCB, guest->space.root), 0);
	memset(guest->memory, 0, GUEST_STACK_TOP);
	make_tables(guest);
	make_stubs(guest);
	copy_code(guest, GUEST_CODE, code);
	for (unsigned i = 0; i < array_count(initial_fields); i++)
		field_write(guest, initial_fields[i].field, initial_fields[i].value);
	guest->registers = (seL4_VCPUContext){0};
	guest->rip = GUEST_CODE;
	guest->primary = 0;
	guest->event = 0;
	guest_set_registers(guest);
}

void guest_set_registers(struct guest *guest) {
	CHECK_EQUAL(seL4_X86_VCPU_WriteRegisters(guest->vcpu, &guest->registers), 0);
}

void guest_enter(struct guest *guest) {
	seL4_SetMR(0, guest->rip);
	seL4_SetMR(1, guest->primary);
	seL4_SetMR(2, guest->event);
	guest->result = seL4_VMEnter(&guest->badge);
	for (int i = 0; i < VM_EXIT_WORDS; i++)
		guest->words[i] = seL4_GetMR(i);
	guest->rip = guest->words[WORD_RIP];
	guest->event = 0;
}

uint64_t guest_length(const struct guest *guest) {
	const uint8_t *code = guest->memory + guest->words[WORD_RIP];

	if (guest->words[WORD_LENGTH]) return guest->words[WORD_LENGTH];
	switch (guest->words[WORD_REASON]) {
	case REASON_HLT: return 1;
	case REASON_CONTROL_REGISTER: return code[0] == 0x0f ? 3 : 4; // with a prefix
	case REASON_VMCALL:
	case REASON_XSETBV:
	case REASON_INVLPG:
	case REASON_DEBUG_REGISTER:
	case REASON_GDTR_IDTR: return 3;
	default: return 2;
	}
}

void guest_skip(struct guest *guest) { guest->rip += guest_length(guest); }

uint64_t guest_register(const struct guest *guest, unsigned number) {
	return guest->words[WORD_REGISTERS + number];
}

static seL4_Error map_memory(struct guest *guest, seL4_Word address) {
	const seL4_CapRights_t all = seL4_AllRights;
	const struct mapping own = {
		guest->frame, address, all, seL4_X86_Default_VMAttributes, seL4_PageBits};
	const struct mapping inside = {
		guest->mapped, 0, all, seL4_X86_EPT_Default_VMAttributes, seL4_PageBits};
	struct space space = space_own();
	seL4_Error error = space_map(&space, &own);

	guest->memory = (uint8_t *)address;
	return error ? error : space_map(&guest->space, &inside);
}

static const char *make(struct guest *guest, seL4_Word address) {
	guest->vcpu = object_make(OBJECT_VCPU, 0);
	if (!guest->vcpu) return "neither VT-x nor AMD-V: the kernel makes no VCPU";
	guest->frame = object_make(OBJECT_LARGE_PAGE, 0);
	guest->mapped = slots_allocate(1);
	if (!guest->frame || !guest->mapped || space_make(&guest->space, &space_guest))
		return "too little memory for a guest";
	if (seL4_CNode_Copy(seL4_CapInitThreadCNode, guest->mapped, seL4_WordBits,
		    seL4_CapInitThreadCNode, guest->frame, seL4_WordBits, seL4_AllRights))
		return "guest memory cannot be shared";
	return map_memory(guest, address) ? "guest memory cannot be mapped" : NULL;
}

static bool has_svm(void) {
	return cpuid(LEAF_EXTENDED, 0).eax >= LEAF_SVM &&
		cpuid(LEAF_EXTENDED_FEATURES, 0).ecx & EXTENDED_ECX_SVM;
}

const char *guest_start(void) {
	const char *problem = make(&guest_one, MEMORY_ADDRESS);

	guest_is_svm = has_svm();
	guest_has_lengths = !guest_is_svm || cpuid(LEAF_SVM, 0).edx & SVM_NEXT_RIP;
	guest_has_operands = !guest_is_svm || cpuid(LEAF_SVM, 0).edx & SVM_DECODE_ASSISTS;
	return problem ? problem : make(&guest_two, MEMORY_ADDRESS + GUEST_SIZE);
}
