// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of writes to control registers: what is carried out, and what gets #GP with nothing
// changed.
#include "rig.h"

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
	fake.exit.registers[X86_RAX] = CR0_PE | CR0_PG | CR0_NE | CR0_CD;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(fake.guest.cr0_shadow, CR0_PE | CR0_PG | CR0_NE | CR0_CD | CR0_ET);
	check_equal(fake.guest.cr0, CR0_PE | CR0_PG | CR0_NE | CR0_ET);
	fake.exit.registers[X86_RAX] = CR0_PG;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(event(), PROTECTION_FAULT);
	rig_fresh();
	fake.exit.registers[X86_RAX] = CR4_VMXE | CR4_PAE;
	fake.exit.qualification = 4;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(event(), PROTECTION_FAULT);
	rig_fresh();
	fake.exit.registers[X86_RAX] = CR4_MCE | CR4_PAE;
	fake.exit.qualification = 4;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(fake.guest.cr4_shadow, CR4_MCE | CR4_PAE);
	check_equal(fake.guest.cr4, CR4_MCE | CR4_PAE);
	fake.exit.registers[X86_RAX] = CR4_MCE;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(event(), PROTECTION_FAULT);
	rig_fresh();
	fake.exit.registers[X86_RBX] = 7;
	fake.exit.qualification = 8 | X86_RBX << 8;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(lapic->task_priority, 0x70);
	fake.exit.qualification = 8 | 1 << 4 | X86_RDX << 8;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(fake.guest.registers[X86_RDX], 7);
}

// A guest with these registers, in code of 32 bits.
static void start(uint64_t cr0, uint64_t cr4, uint64_t efer) {
	rig_fresh();
	fake.guest.cr0_shadow = cr0;
	fake.guest.cr0 = (cr0 & ~(uint64_t)(CR0_CD | CR0_NW)) | CR0_NE;
	fake.guest.cr4_shadow = cr4;
	fake.guest.cr4 = cr4 | CR4_MCE;
	fake.guest.efer = efer;
	fake.guest.segments[VCPU_CS].attributes = CODE_32;
	fake.exit.cr3 = DIRECTORY;
	memset(machine.memory.bytes + DIRECTORY, 0, 32);
}

static void set_directory(unsigned index, uint64_t entry) {
	memcpy(machine.memory.bytes + DIRECTORY + 8 * index, &entry, 8);
}

static void write_register(unsigned number, uint64_t value) {
	fake.exit.registers[X86_RAX] = value;
	fake.exit.qualification = number;
	leave(VCPU_EXIT_CONTROL_REGISTER);
}

static void refused(unsigned number, uint64_t value) {
	static struct fake_host before;

	before = fake;
	write_register(number, value);
	check_equal(event(), PROTECTION_FAULT);
	check_equal(fake.guest.rip, CODE);
	for (unsigned i = 0; i < 4; i++)
		check_equal(fake.guest.pdpte[i], before.guest.pdpte[i]);
	check_equal(fake.guest.cr0, before.guest.cr0);
	check_equal(fake.guest.cr4, before.guest.cr4);
	check_equal(fake.guest.efer, before.guest.efer);
}

static void accepted(unsigned number, uint64_t value) {
	fake.guest.event.information = 0;
	write_register(number, value);
	check_equal(event(), 0);
	check_equal(fake.guest.rip, CODE + 2);
}

static const uint64_t protected = CR0_PE | CR0_NE | CR0_ET;
static const uint64_t paged = CR0_PG | CR0_PE | CR0_NE | CR0_ET;

static void test_start_long_mode(void) {
	start(protected, CR4_PAE, EFER_LME);
	accepted(0, paged | CR0_CD);
	check_equal(fake.guest.efer, EFER_LME | EFER_LMA);
	start(protected, 0, EFER_LME);
	refused(0, paged | CR0_CD);
	start(protected, CR4_PAE, EFER_LME);
	fake.guest.segments[VCPU_TR].attributes = TSS_16;
	refused(0, paged | CR0_CD);
	start(protected, CR4_PAE, EFER_LME);
	fake.guest.segments[VCPU_CS].attributes = CODE_64;
	refused(0, paged | CR0_CD);
	// Outside long mode neither matters.
	start(protected, 0, 0);
	fake.guest.segments[VCPU_TR].attributes = TSS_16;
	accepted(0, paged | CR0_CD);
}

static void test_stop_long_mode(void) {
	start(paged, CR4_PAE, EFER_LME | EFER_LMA);
	accepted(0, protected | CR0_CD);
	check_equal(fake.guest.efer, EFER_LME);
	start(paged, CR4_PAE | CR4_PCIDE, EFER_LME | EFER_LMA);
	refused(0, protected | CR0_CD);
	start(paged, CR4_PAE, EFER_LME | EFER_LMA);
	fake.guest.segments[VCPU_CS].attributes = CODE_64;
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
		check_equal(fake.guest.pdpte[0], 0x1001);
		start(paged, CR4_PAE, 0);
		set_directory(1, bad[i]);
		refused(4, CR4_PAE | CR4_MCE | CR4_PGE);
	}
	// CD and NW load the pointers too, other bits do not.
	start(paged, CR4_PAE, 0);
	set_directory(2, 0x7001);
	accepted(0, paged | CR0_CD);
	check_equal(fake.guest.pdpte[2], 0x7001);
	start(paged | CR0_CD, CR4_PAE, 0);
	set_directory(2, 0x7001);
	accepted(0, (paged | CR0_CD) & ~(uint64_t)CR0_NE);
	check_equal(fake.guest.pdpte[2], 0);
	accepted(4, CR4_PAE | CR4_MCE);
	check_equal(fake.guest.pdpte[2], 0);
	start(paged, CR4_PAE, 0);
	fake.exit.cr3 = 0xffffffe0; // no memory there
	refused(0, paged | CR0_CD);
}

static void test_cr4_long_mode(void) {
	start(paged, CR4_PAE, EFER_LME | EFER_LMA);
	refused(4, CR4_MCE);
	fake.exit.cr3 = DIRECTORY | 1;
	refused(4, CR4_PAE | CR4_MCE | CR4_PCIDE);
	fake.exit.cr3 = DIRECTORY;
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
	fake.guest.segments[VCPU_CS].attributes = CODE_64;
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
