// SPDX-License-Identifier: BSD-2-Clause
// AMD-V's exits in VT-x's terms on CPUs with NRIPS and decode assists, which QEMU's has not, and
// without them; events that VMRUN would refuse.
#include "../check.h"

#include <base/compiler.h>
#include <cpu/msr.h>
#include <cpu/segments.h>
#include <guest/svm/internal.h>
#include <stdlib.h>
#include <string.h>
#include <x86/msr.h>

enum { RIP = 0x1000, ALL = SVM_NEXT_RIP | SVM_DECODE_ASSISTS };

#define MOVE SVM_CR_IS_MOVE
#define VALID INTERRUPTION_VALID

static void load(struct guest *) {}

static const struct guest_engine engine = {.load = load,
	.fields = svm_fields,
	.field_made = svm_field_made,
	.field_write = svm_field_write};
static struct platform platform = {.found.offered = VCPU_OFFERS_SPEC_CTRL,
	.found.words = {[VMX_ANY] = {.may = UINT64_MAX},
		[VMX_SECONDARY] = {SVM_SECONDARY_MUST, SVM_SECONDARY_MAY},
		[VMX_CR4] = {CR4_MCE, UINT32_MAX},
		[VMX_EFER] = {EFER_SVME, UINT64_MAX}}};
static struct cpu cpu = {.engine = &engine, .platform = &platform};
static struct vcpu_state_page page;
static struct vmcb vmcb;
static struct guest guest;

void panic(const char *, ...) { abort(); }

struct cpu *this_cpu(void) {
	return &cpu;
}

bool guest_xcr0_write(struct guest *, uint64_t *) { return true; }

void guest_debug_take(struct guest *) {}

uint64_t fields[0x8000]; // no VMCS is there
enum vmcs_field lacking;
unsigned raised;

bool msr_try_write(uint32_t, uint64_t value) { return value <= SPEC_CTRL_IBRS + SPEC_CTRL_SSBD; }

static void exit_with(uint32_t features, uint64_t code, uint64_t information, uint64_t length) {
	platform.found.svm.features = features;
	memset(&vmcb, 0, sizeof(vmcb));
	guest = (struct guest){.page = &page, .svm.vmcb = &vmcb};
	guest.fetched = &vmcb.instruction_count;
	vmcb.exit_code = code;
	vmcb.exit_information[0] = information;
	vmcb.rip = RIP;
	if (length && features & SVM_NEXT_RIP) vmcb.next_rip = RIP + length;
}

static void lengths(void) {
	static const struct {
		uint32_t features, length;
		uint64_t code, information;
	} rows[] = {
		{0, 0, SVM_EXIT_CPUID, 0}, {SVM_NEXT_RIP, 2, SVM_EXIT_CPUID, 0},
		{SVM_NEXT_RIP, 1, SVM_EXIT_HLT, 0},
		{SVM_NEXT_RIP, 0, SVM_EXIT_WRITE_CR0 + 4, 0}, // the register is not known
		{SVM_NEXT_RIP, 0, SVM_EXIT_READ_CR0, 0},
		{SVM_NEXT_RIP, 0, SVM_EXIT_READ_DR0 + 3, 0}, {SVM_NEXT_RIP, 0, SVM_EXIT_INVLPG, 0},
		{ALL, 3, SVM_EXIT_WRITE_CR0 + 4, MOVE | 9},
		{ALL, 3, SVM_EXIT_CR0_SELECTIVE, MOVE | 1}, {ALL, 3, SVM_EXIT_READ_CR0 + 8, MOVE},
		{ALL, 3, SVM_EXIT_READ_DR0 + 3, 5}, {ALL, 3, SVM_EXIT_INVLPG, 0x1234000},
		{ALL, 0, SVM_EXIT_WRITE_CR0, 0}, // CLTS, LMSW
		{ALL, 0, SVM_EXIT_CR0_SELECTIVE, 0}, // LMSW
		{ALL, 0, SVM_EXIT_READ_CR0, 0}, // SMSW
	};

	for (unsigned i = 0; i < array_count(rows); i++) {
		exit_with(rows[i].features, rows[i].code, rows[i].information,
			rows[i].length ? rows[i].length : 3);
		check_equal(svm_instruction_length(&vmcb), rows[i].length);
	}
	exit_with(ALL, SVM_EXIT_NESTED_PAGE_FAULT, 0, 0);
	check_equal(svm_instruction_length(&vmcb), 0);
	exit_with(0, SVM_EXIT_IO, 0, 0); // a port access has it on every CPU
	vmcb.exit_information[1] = RIP + 2;
	check_equal(svm_instruction_length(&vmcb), 2);
}

static void qualifications(void) {
	static const struct {
		uint64_t code, information, expected;
	} rows[] = {
		{SVM_EXIT_WRITE_CR0 + 4, MOVE | 9, 4 | 9 << 8},
		{SVM_EXIT_READ_CR0 + 8, MOVE | 2, 8 | 1 << 4 | 2 << 8},
		{SVM_EXIT_CR0_SELECTIVE, MOVE | 1, 1 << 8},
		{SVM_EXIT_READ_DR0 + 3, 5, 3 | 1 << 4 | 5 << 8},
		{SVM_EXIT_WRITE_DR0 + 7, 6, 7 | 6 << 8}, {SVM_EXIT_INVLPG, 0x1234000, 0x1234000},
		{SVM_EXIT_NESTED_PAGE_FAULT, SVM_FAULT_WRITE | SVM_FAULT_FINAL,
			VCPU_MEMORY_WRITE | VCPU_MEMORY_FINAL},
		{SVM_EXIT_NESTED_PAGE_FAULT, SVM_FAULT_FETCH | SVM_FAULT_FINAL,
			VCPU_MEMORY_FETCH | VCPU_MEMORY_FINAL},
		{SVM_EXIT_NESTED_PAGE_FAULT, 1ul << 33, VCPU_MEMORY_READ}, // in the guest's tables
	};

	for (unsigned i = 0; i < array_count(rows); i++) {
		exit_with(ALL, rows[i].code, rows[i].information, 3);
		check_equal(svm_qualification(&vmcb, svm_reason(&vmcb)), rows[i].expected);
	}
}

// The bytes that the CPU fetched are part of their group, and no more than there can be.
static void fetched(void) {
	exit_with(ALL, SVM_EXIT_NESTED_PAGE_FAULT, 0, 0);
	vmcb.instruction_count = 0xf7; // the upper half is reserved
	memcpy(vmcb.instruction_bytes, "abcdefghijklmno", VCPU_INSTRUCTION_BYTES);
	guest_page_save(&guest, VCPU_GROUP_RIP);
	check_equal(page.instruction_count, 0);
	guest_page_save(&guest, VCPU_GROUP_INSTRUCTION);
	check_equal(page.instruction_count, 7);
	check(memcmp(page.instruction_bytes, vmcb.instruction_bytes, VCPU_INSTRUCTION_BYTES) == 0);
	guest.fetched = NULL; // as VT-x has it
	memset(page.instruction_bytes, 0, VCPU_INSTRUCTION_BYTES);
	guest_page_save(&guest, VCPU_GROUP_INSTRUCTION);
	check_equal(page.instruction_bytes[0], 0);
}

// A page whose words all differ, with values that can be.
static void fill_page(void) {
	uint64_t *words[] = {&page.cr3, &page.cr2, &page.dr7, &page.cr0_mask, &page.cr0_shadow,
		&page.cr4_mask, &page.cr4_shadow, &page.gdtr.base, &page.gdtr.limit,
		&page.idtr.base, &page.idtr.limit, &page.dr[0], &page.dr[1], &page.dr[2],
		&page.dr[3], &page.dr6, &page.tsc_offset, &page.star, &page.lstar, &page.cstar,
		&page.fmask, &page.kernel_gs_base, &page.tsc_aux, &page.sysenter_cs,
		&page.sysenter_esp, &page.sysenter_eip, &page.pat, &page.rip, &page.rflags,
		&page.registers[4]};

	page = (struct vcpu_state_page){.cr0 = CR0_PE,
		.cr4 = CR4_PAE | CR4_MCE,
		.efer = EFER_LME | EFER_LMA,
		.event = {0x80000b0e, 0x55},
		.event_length = 7,
		.interruptibility = VCPU_BLOCKED_BY_STI | VCPU_BLOCKED_BY_NMI,
		.windows = VCPU_WINDOW_INTERRUPT,
		.exceptions = 1 << VECTOR_PAGE_FAULT,
		.debugctl = 1};
	for (unsigned i = 0; i < array_count(words); i++)
		*words[i] = 0x12340000 + i;
	for (uint16_t i = 0; i < VCPU_SEGMENTS; i++)
		page.segments[i] = (struct vcpu_segment){0x40 + i,
			(i & 1 ? VCPU_SEGMENT_PAGES : 0) | 0x2090 | i,
			i & 1 ? UINT32_MAX : 0x1000u + i, 0x5670000u + i};
	page.segments[VCPU_SS].attributes |= 3 << VCPU_SEGMENT_PRIVILEGE_SHIFT;
	page.segments[VCPU_FS].attributes = VCPU_SEGMENT_UNUSABLE | 3;
}

// What the CPU has no field for is 0, and what only it writes stays.
static void all_groups(void) {
	struct vcpu_state_page before;

	exit_with(SVM_SPEC_CTRL, 0, 0, 0);
	fill_page();
	page.controls = VCPU_EXITS_HLT;
	page.dirty = UINT64_MAX;
	check_equal(guest_page_load(&guest), -1);
	check_equal(page.dirty, 0);
	check_equal(vmcb.cpl, 3);
	check_equal(vmcb.cr3, page.cr3);
	check_equal(vmcb.interrupt_shadow, 1);
	check_equal(guest.svm.primary & VCPU_WINDOW_INTERRUPT, VCPU_WINDOW_INTERRUPT);
	check(guest.is_stale);
	before = page;
	memset(&page, 0xee, sizeof(page));
	guest_page_save(&guest, UINT64_MAX);
	check_equal(page.controls & (VCPU_EXITS_HLT | VCPU_EXITS_INVLPG), VCPU_EXITS_HLT);
	check_equal(page.controls >> 32, SVM_SECONDARY_MUST);
	check_equal(page.linear, 0);
	check_equal(page.timer, 0);
	check_equal(page.activity, 0);
	before.controls = page.controls;
	check(memcmp(&page.rip, &before.rip,
		      offsetof(struct vcpu_state_page, physical) -
			      offsetof(struct vcpu_state_page, rip)) == 0);
	check_equal(page.event_length, before.event_length);
	check_equal(page.registers[4], before.registers[4]);
	check(memcmp(&page.cr0, &before.cr0,
		      offsetof(struct vcpu_state_page, xcr0) -
			      offsetof(struct vcpu_state_page, cr0)) == 0);
	check_equal(page.exceptions, before.exceptions);
	check(memcmp(&page.star, &before.star,
		      offsetof(struct vcpu_state_page, reserved_2) -
			      offsetof(struct vcpu_state_page, star)) == 0);
}

// As SDM 3C 27.2.1.3 has it.
static bool may_be(uint32_t type, uint32_t vector, bool has_code) {
	if (has_code && type != INTERRUPTION_EXCEPTION) return false;
	if (type == INTERRUPTION_EXTERNAL || type == INTERRUPTION_SOFTWARE) return true;
	if (type == INTERRUPTION_NMI) return vector == 2;
	if (type == INTERRUPTION_EXCEPTION) return vector < 32 && vector != 2;
	if (type == INTERRUPTION_PRIVILEGED) return vector == 1;
	return type == INTERRUPTION_SOFTWARE_EXCEPTION && (vector == 3 || vector == 4);
}

static void events(void) {
	for (uint32_t type = 0; type < 8; type++)
		for (uint32_t vector = 0; vector < 256; vector++)
			for (uint32_t code = 0; code < 2; code++)
				check_equal(svm_event_is_valid(VALID | type << 8 | vector |
						    code * INTERRUPTION_ERROR_CODE),
					may_be(type << 8, vector, code));
	for (unsigned bit = 12; bit < 31; bit++)
		check(!svm_event_is_valid(VALID | 1u << bit | 0x40));
}

// Where a software event returns to: NRIPS has a field for it, but not for INT1.
static void software_events(void) {
	static const struct {
		uint32_t features, event;
		uint64_t rip, injected;
	} rows[] = {
		{0, INTERRUPTION_SOFTWARE | 0x80, RIP + 2, INTERRUPTION_SOFTWARE | 0x80},
		{ALL, INTERRUPTION_SOFTWARE | 0x80, RIP, INTERRUPTION_SOFTWARE | 0x80},
		{ALL, INTERRUPTION_SOFTWARE_EXCEPTION | 3, RIP, INTERRUPTION_EXCEPTION | 3},
		{ALL, INTERRUPTION_PRIVILEGED | 1, RIP + 2, INTERRUPTION_EXCEPTION | 1},
	};

	for (unsigned i = 0; i < array_count(rows); i++) {
		exit_with(rows[i].features, 0, 0, 0);
		guest.svm.event = VALID | rows[i].event;
		guest.svm.event_length = 2;
		svm_events_enter(&guest);
		check_equal(vmcb.rip, rows[i].rip);
		check_equal(vmcb.next_rip, RIP + 2);
		check_equal(vmcb.event, VALID | rows[i].injected);
		// Not delivered: everything is as before, and it comes again.
		vmcb.exit_event = vmcb.event;
		check(!svm_events_exit(&guest, true));
		check_equal(vmcb.rip, RIP);
		svm_inject_again(&guest);
		check_equal(guest.svm.event & VALID, VALID);
	}
}

// The block has it where the CPU looks there, and the guest may have changed it meanwhile.
static void speculation(void) {
	uint64_t value = SPEC_CTRL_SSBD, read;

	exit_with(SVM_SPEC_CTRL, 0, 0, 0);
	check(guest_field_write(&guest, VCPU_FIELD_SPEC_CTRL, &value));
	check_equal(value, SPEC_CTRL_SSBD);
	check_equal(vmcb.spec_ctrl, SPEC_CTRL_SSBD);
	check_equal(guest.spec_ctrl, 0);
	vmcb.spec_ctrl = SPEC_CTRL_IBRS;
	check(guest_field_read(&guest, VCPU_FIELD_SPEC_CTRL, &read));
	check_equal(read, SPEC_CTRL_IBRS);

	exit_with(0, 0, 0, 0);
	check(guest_field_write(&guest, VCPU_FIELD_SPEC_CTRL, &value));
	check_equal(vmcb.spec_ctrl, 0);
	check_equal(guest.spec_ctrl, SPEC_CTRL_SSBD);
	value = 1 << 3;
	check(!guest_field_write(&guest, VCPU_FIELD_SPEC_CTRL, &value));
	check(guest_field_read(&guest, VCPU_FIELD_SPEC_CTRL, &read));
	check_equal(read, SPEC_CTRL_SSBD);
}

static bool exits(unsigned code) { return vmcb.intercepts[code / 32] >> code % 32 & 1; }

// Whatever a client writes: what would reset, stop or delay the host exits, and SMIs are the
// firmware's (APM 2 15.22.1).
static void always(void) {
	static const unsigned codes[] = {SVM_EXIT_EXCEPTION + VECTOR_MACHINE_CHECK,
		SVM_EXIT_EXCEPTION + VECTOR_DEBUG, SVM_EXIT_EXCEPTION + VECTOR_ALIGNMENT,
		SVM_EXIT_INTERRUPT, SVM_EXIT_NMI, SVM_EXIT_INIT, SVM_EXIT_RSM, SVM_EXIT_INVD,
		SVM_EXIT_WBINVD, SVM_EXIT_SHUTDOWN, SVM_EXIT_VMRUN, SVM_EXIT_SKINIT};
	static const uint32_t client[] = {VMCS_PRIMARY_CONTROLS, VMCS_SECONDARY_CONTROLS,
		VMCS_EXCEPTION_BITMAP, VMCS_CR4_MASK};

	exit_with(0, 0, 0, 0);
	for (unsigned value = 0; value < 2; value++) {
		for (unsigned i = 0; i < array_count(client); i++) {
			uint64_t word = value ? UINT64_MAX : 0;

			check(guest_field_write(&guest, client[i], &word));
		}
		for (unsigned i = 0; i < array_count(codes); i++)
			check(exits(codes[i]));
		check(!exits(SVM_EXIT_NMI + 1)); // SMI
	}
}

// With MCE clear it would shut the CPU down.
static void machine_check(void) {
	uint64_t cr4 = 0;

	exit_with(0, SVM_EXIT_EXCEPTION + VECTOR_MACHINE_CHECK, 0, 0);
	check(guest_field_write(&guest, VMCS_GUEST_CR4, &cr4));
	check_equal(vmcb.cr4, CR4_MCE);
	guest.svm.exceptions = UINT32_MAX;
	vmcb.exit_event = VALID | INTERRUPTION_EXCEPTION | VECTOR_PAGE_FAULT;
	check(svm_take_exception(&guest));
	check_equal(raised, VECTOR_MACHINE_CHECK);
	check_equal(guest.svm.event, VALID | INTERRUPTION_EXCEPTION | VECTOR_PAGE_FAULT);
}

int main(void) {
	static const struct test tests[] = {
		{"svm.lengths", "a length is reported where the exit says all of the instruction",
			lengths},
		{"svm.qualifications", "decode assists name registers and addresses",
			qualifications},
		{"svm.fetched", "fetched bytes are in the group of the instruction", fetched},
		{"svm.groups", "each word of the page is loaded and saved", all_groups},
		{"svm.events", "events are valid as VT-x has them", events},
		{"svm.speculation", "SPEC_CTRL is the block's where the CPU has that", speculation},
		{"svm.always", "what would stop or delay the host exits", always},
		{"svm.machine_check", "a machine check in a guest is the host's", machine_check},
		{"svm.software_events", "software events return behind their instruction",
			software_events},
	};

	return check_run(tests, array_count(tests));
}
