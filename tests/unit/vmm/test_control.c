// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of writes to control registers: what is carried out, and what gets #GP with nothing
// changed.
#include "rig.h"

#include <abi/vcpu.h>

#include <string.h>

enum {
	CODE_64 = 0xa09b,
	CODE_32 = 0xc09b,
	TSS_16 = 0x83,
	TSS_32 = 0x8b,
	DIRECTORY = 0x5000,
	REGISTER_CR8 = 8,
};

static void test_control_registers(void) {
	rig_fresh();
	fake.words[W_RAX] = CR0_PE | CR0_PG | CR0_NE | CR0_CD;
	leave(EXIT_CONTROL_REGISTER);
	check_equal(fake.fields[VMCS_CR0_SHADOW], CR0_PE | CR0_PG | CR0_NE | CR0_CD | CR0_ET);
	check_equal(fake.fields[VMCS_GUEST_CR0], CR0_PE | CR0_PG | CR0_NE | CR0_ET);
	fake.words[W_RAX] = CR0_PG;
	leave(EXIT_CONTROL_REGISTER);
	check_equal(event(), PROTECTION_FAULT);
	rig_fresh();
	fake.words[W_RAX] = CR4_VMXE | CR4_PAE;
	fake.words[HOST_EXIT_QUALIFICATION] = 4;
	leave(EXIT_CONTROL_REGISTER);
	check_equal(event(), PROTECTION_FAULT);
	rig_fresh();
	fake.words[W_RAX] = CR4_MCE | CR4_PAE;
	fake.words[HOST_EXIT_QUALIFICATION] = 4;
	leave(EXIT_CONTROL_REGISTER);
	check_equal(fake.fields[VMCS_CR4_SHADOW], CR4_MCE | CR4_PAE);
	check_equal(fake.fields[VMCS_GUEST_CR4], CR4_MCE | CR4_PAE | CR4_VMXE);
	fake.words[W_RAX] = CR4_MCE;
	leave(EXIT_CONTROL_REGISTER);
	check_equal(event(), PROTECTION_FAULT);
	rig_fresh();
	fake.words[W_RBX] = 7;
	fake.words[HOST_EXIT_QUALIFICATION] = 8 | X86_RBX << 8;
	leave(EXIT_CONTROL_REGISTER);
	check_equal(lapic->task_priority, 0x70);
	fake.words[HOST_EXIT_QUALIFICATION] = 8 | 1 << 4 | X86_RDX << 8;
	leave(EXIT_CONTROL_REGISTER);
	check_equal(fake.registers[X86_RDX], 7);
}

// A guest with these registers, in code of 32 bits.
static void start(uint64_t cr0, uint64_t cr4, uint64_t efer) {
	rig_fresh();
	fake.fields[VMCS_CR0_SHADOW] = cr0;
	fake.fields[VMCS_GUEST_CR0] = (cr0 & ~(uint64_t)(CR0_CD | CR0_NW)) | CR0_NE;
	fake.fields[VMCS_CR4_SHADOW] = cr4;
	fake.fields[VMCS_GUEST_CR4] = cr4 | CR4_MCE | CR4_VMXE;
	fake.fields[VMCS_GUEST_EFER] = efer;
	fake.fields[VMCS_GUEST_CS_ACCESS] = CODE_32;
	fake.words[HOST_EXIT_CR3] = DIRECTORY;
	memset(machine.memory.bytes + DIRECTORY, 0, 32);
}

static void set_directory(unsigned index, uint64_t entry) {
	memcpy(machine.memory.bytes + DIRECTORY + 8 * index, &entry, 8);
}

static void write_register(unsigned number, uint64_t value) {
	fake.words[W_RAX] = value;
	fake.words[HOST_EXIT_QUALIFICATION] = number;
	leave(EXIT_CONTROL_REGISTER);
}

static void refused(unsigned number, uint64_t value) {
	static struct fake_host before;
	before = fake;
	write_register(number, value);
	check_equal(event(), PROTECTION_FAULT);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE);
	for (unsigned field = VMCS_GUEST_PDPTE0; field <= VMCS_GUEST_PDPTE3; field += 2)
		check_equal(fake.fields[field], before.fields[field]);
	check_equal(fake.fields[VMCS_GUEST_CR0], before.fields[VMCS_GUEST_CR0]);
	check_equal(fake.fields[VMCS_GUEST_CR4], before.fields[VMCS_GUEST_CR4]);
	check_equal(fake.fields[VMCS_GUEST_EFER], before.fields[VMCS_GUEST_EFER]);
	check_equal(fake.fields[VMCS_ENTRY_CONTROLS], before.fields[VMCS_ENTRY_CONTROLS]);
}

static void accepted(unsigned number, uint64_t value) {
	fake.fields[VMCS_ENTRY_INTERRUPTION] = 0;
	write_register(number, value);
	check_equal(event(), 0);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 2);
}

static const uint64_t protected = CR0_PE | CR0_NE | CR0_ET;
static const uint64_t paged = CR0_PG | CR0_PE | CR0_NE | CR0_ET;

static void test_start_long_mode(void) {
	start(protected, CR4_PAE, EFER_LME);
	accepted(0, paged | CR0_CD);
	check_equal(fake.fields[VMCS_GUEST_EFER], EFER_LME | EFER_LMA);
	check(fake.fields[VMCS_ENTRY_CONTROLS] & ENTRY_LONG_MODE);
	start(protected, 0, EFER_LME);
	refused(0, paged | CR0_CD);
	start(protected, CR4_PAE, EFER_LME);
	fake.fields[VMCS_GUEST_TR_ACCESS] = TSS_16;
	refused(0, paged | CR0_CD);
	start(protected, CR4_PAE, EFER_LME);
	fake.fields[VMCS_GUEST_CS_ACCESS] = CODE_64;
	refused(0, paged | CR0_CD);
	// Outside long mode neither matters.
	start(protected, 0, 0);
	fake.fields[VMCS_GUEST_TR_ACCESS] = TSS_16;
	accepted(0, paged | CR0_CD);
}

static void test_stop_long_mode(void) {
	start(paged, CR4_PAE, EFER_LME | EFER_LMA);
	accepted(0, protected | CR0_CD);
	check_equal(fake.fields[VMCS_GUEST_EFER], EFER_LME);
	check(!(fake.fields[VMCS_ENTRY_CONTROLS] & ENTRY_LONG_MODE));
	start(paged, CR4_PAE | CR4_PCIDE, EFER_LME | EFER_LMA);
	refused(0, protected | CR0_CD);
	start(paged, CR4_PAE, EFER_LME | EFER_LMA);
	fake.fields[VMCS_GUEST_CS_ACCESS] = CODE_64;
	refused(0, protected | CR0_CD);
}

static void test_directory(void) {
	static const uint64_t bad[] = {
		3, 5, 0x21, 0x41, 0x81, 0x101, 1 | 1ull << 40, 1 | 1ull << 63};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(protected, CR4_PAE, 0);
		set_directory(0, 0x1001);
		set_directory(3, bad[i]);
		refused(0, paged | CR0_CD);
		set_directory(3, bad[i] & ~1ull); // not present, so nothing of it counts
		accepted(0, paged | CR0_CD);
		check_equal(fake.fields[VMCS_GUEST_PDPTE0], 0x1001);
		start(paged, CR4_PAE, 0);
		set_directory(1, bad[i]);
		refused(4, CR4_PAE | CR4_MCE | CR4_PGE);
	}
	// CD and NW load the pointers too, other bits do not.
	start(paged, CR4_PAE, 0);
	set_directory(2, 0x7001);
	accepted(0, paged | CR0_CD);
	check_equal(fake.fields[VMCS_GUEST_PDPTE2], 0x7001);
	start(paged | CR0_CD, CR4_PAE, 0);
	set_directory(2, 0x7001);
	accepted(0, (paged | CR0_CD) & ~(uint64_t)CR0_NE);
	check_equal(fake.fields[VMCS_GUEST_PDPTE2], 0);
	accepted(4, CR4_PAE | CR4_MCE);
	check_equal(fake.fields[VMCS_GUEST_PDPTE2], 0);
	start(paged, CR4_PAE, 0);
	fake.words[HOST_EXIT_CR3] = 0xffffffe0; // no memory there
	refused(0, paged | CR0_CD);
}

static void test_cr4_long_mode(void) {
	start(paged, CR4_PAE, EFER_LME | EFER_LMA);
	refused(4, CR4_MCE);
	fake.words[HOST_EXIT_CR3] = DIRECTORY | 1;
	refused(4, CR4_PAE | CR4_MCE | CR4_PCIDE);
	fake.words[HOST_EXIT_CR3] = DIRECTORY;
	accepted(4, CR4_PAE | CR4_MCE | CR4_PCIDE);
	start(paged, CR4_PAE, 0);
	refused(4, CR4_PAE | CR4_MCE | CR4_PCIDE);
}

static void test_operand_size(void) {
	const uint64_t upper = 0xdead00000000ull;
	start(paged, 0, 0);
	accepted(0, upper | paged | CR0_CD);
	accepted(4, upper | CR4_MCE);
	start(paged, CR4_PAE, EFER_LME | EFER_LMA);
	fake.fields[VMCS_GUEST_CS_ACCESS] = CODE_64;
	refused(0, upper | paged | CR0_CD);
	refused(4, upper | CR4_PAE | CR4_MCE);
	refused(REGISTER_CR8, upper);
}

int main(void) {
	static const struct test tests[] = {
		{"control.plain", "CR0, CR4 and CR8 writes are checked", test_control_registers},
		{"control.start", "long mode starts from where it may", test_start_long_mode},
		{"control.stop", "long mode ends from where it may", test_stop_long_mode},
		{"control.directory", "PAE pointers are loaded and checked", test_directory},
		{"control.cr4", "CR4 keeps what long mode needs", test_cr4_long_mode},
		{"control.operand", "upper halves count in 64-bit mode only", test_operand_size},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));
	rig_free();
	return status;
}
