// SPDX-License-Identifier: BSD-2-Clause
// Exceptions that exit, including those that no emulator raises: which side gets each, and in which
// form.
#include "../check.h"

#include <base/compiler.h>
#include <cpu/segments.h>
#include <guest/vmx/internal.h>
#include <stdlib.h>
#include <string.h>

#define VALID INTERRUPTION_VALID
#define HARDWARE (3u << 8)
#define CODED (VALID | HARDWARE | INTERRUPTION_ERROR_CODE)
#define DR6_FIXED 0xffff0ff0ul
#define BLOCKING 0xful // interruptibility: all kinds

uint64_t fields[0x8000];
unsigned raised;

static struct guest guest;

void panic(const char *, ...) { abort(); }

static void exit_with(uint64_t event, uint64_t vectoring) {
	memset(fields, 0, sizeof(fields));
	raised = 0;
	guest = (struct guest){.vmx.dr6 = DR6_FIXED};
	vmcs_write(VMCS_EXIT_INTERRUPTION, event);
	vmcs_write(VMCS_IDT_VECTORING, vectoring);
	vmcs_write(VMCS_IDT_VECTORING_ERROR_CODE, 0x77);
	vmcs_write(VMCS_ENTRY_ERROR_CODE, 0x55);
	vmcs_write(VMCS_EXIT_INSTRUCTION_LENGTH, 3);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING);
	vmcs_write(VMCS_GUEST_DR7, 0x2401);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 3);
}

static void machine_check(void) {
	exit_with(VALID | HARDWARE | VECTOR_MACHINE_CHECK, CODED | VECTOR_PAGE_FAULT);
	guest.vmx.exceptions = UINT32_MAX;
	check(vmx_take_exception(&guest));
	check_equal(raised, VECTOR_MACHINE_CHECK);
	check_equal(vmcs_read(VMCS_ENTRY_INTERRUPTION), CODED | VECTOR_PAGE_FAULT);
	check_equal(vmcs_read(VMCS_ENTRY_ERROR_CODE), 0x77);
}

static void not_masked(void) {
	exit_with(VALID | INTERRUPTION_NMI | VECTOR_NMI, 0);
	check(!vmx_take_exception(&guest));
	check_equal(raised, VECTOR_NMI);
	check_equal(vmcs_read(VMCS_ENTRY_INTERRUPTION), 0);
}

static void asked_for(void) {
	exit_with(VALID | HARDWARE | VECTOR_DEBUG, 0);
	vmcs_write(VMCS_EXIT_QUALIFICATION, 1 << 14);
	guest.vmx.exceptions = 1 << VECTOR_DEBUG;
	check(!vmx_take_exception(&guest));
	check_equal(raised, 0);
	check_equal(guest.vmx.dr6, DR6_FIXED);
	check_equal(vmcs_read(VMCS_GUEST_DR7), 0x2401);
	check_equal(vmcs_read(VMCS_GUEST_DEBUGCTL), 3);
	check_equal(vmcs_read(VMCS_ENTRY_INTERRUPTION), 0);
}

static void debug(void) {
	exit_with(VALID | HARDWARE | INTERRUPTION_UNDEFINED | VECTOR_DEBUG, 0);
	guest.vmx.dr6 = DR6_FIXED | 0xe003;
	vmcs_write(VMCS_EXIT_QUALIFICATION, 0x1f3f1ff8 | 1 << 14);
	check(vmx_take_exception(&guest));
	check_equal(guest.vmx.dr6, DR6_FIXED | 0xe008);
	check_equal(vmcs_read(VMCS_GUEST_DR7), 0x401);
	check_equal(vmcs_read(VMCS_GUEST_DEBUGCTL), 0);
	check_equal(vmcs_read(VMCS_ENTRY_INTERRUPTION), VALID | HARDWARE | VECTOR_DEBUG);
	check_equal(vmcs_read(VMCS_ENTRY_INSTRUCTION_LENGTH), 0);
	check_equal(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY), BLOCKING & ~3ul);
}

static void int1(void) {
	exit_with(VALID | INTERRUPTION_PRIVILEGED | VECTOR_DEBUG, 0);
	guest.vmx.dr6 = DR6_FIXED | 2;
	check(vmx_take_exception(&guest));
	check_equal(guest.vmx.dr6, DR6_FIXED | 2);
	check_equal(
		vmcs_read(VMCS_ENTRY_INTERRUPTION), VALID | INTERRUPTION_PRIVILEGED | VECTOR_DEBUG);
	check_equal(vmcs_read(VMCS_ENTRY_INSTRUCTION_LENGTH), 3);
}

// The second of two benign exceptions is delivered; the first comes again by itself.
static void alignment(void) {
	exit_with(CODED | VECTOR_ALIGNMENT, CODED | VECTOR_PAGE_FAULT);
	guest.vmx.exceptions = ~(1u << VECTOR_ALIGNMENT);
	check(vmx_take_exception(&guest));
	check_equal(vmcs_read(VMCS_ENTRY_INTERRUPTION), CODED | VECTOR_ALIGNMENT);
	check_equal(vmcs_read(VMCS_ENTRY_ERROR_CODE), 0);
	check_equal(guest.vmx.dr6, DR6_FIXED);
	check_equal(vmcs_read(VMCS_GUEST_DR7), 0x2401);
}

static void again(void) {
	static const struct {
		uint64_t event;
		uint64_t code, length, interruptibility;
	} rows[] = {
		{VALID | 0x40, 0x55, 0, 0xc},
		{VALID | INTERRUPTION_NMI | 2, 0x55, 0, 0x4},
		{CODED | VECTOR_PROTECTION, 0x77, 0, 0xc},
		{VALID | INTERRUPTION_SOFTWARE | 0x80, 0x55, 3, 0xc},
		{VALID | INTERRUPTION_SOFTWARE_EXCEPTION | 3, 0x55, 3, 0xc},
	};

	for (unsigned i = 0; i < array_count(rows); i++) {
		exit_with(0, rows[i].event | INTERRUPTION_UNDEFINED);
		vmx_inject_again();
		check_equal(vmcs_read(VMCS_ENTRY_INTERRUPTION), rows[i].event);
		check_equal(vmcs_read(VMCS_ENTRY_ERROR_CODE), rows[i].code);
		check_equal(vmcs_read(VMCS_ENTRY_INSTRUCTION_LENGTH), rows[i].length);
		check_equal(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY), rows[i].interruptibility);
	}
	exit_with(0, 0x30d);
	vmx_inject_again();
	check_equal(vmcs_read(VMCS_ENTRY_INTERRUPTION), 0);
	check_equal(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY), BLOCKING);
}

static const struct test tests[] = {
	{"event-machine-check", "a machine check is the host's, whatever the VMM requested",
		machine_check},
	{"event-nmi", "an NMI is the host's, and the VMM gets the exit", not_masked},
	{"event-asked", "a #DB that the VMM asked for changes nothing", asked_for},
	{"event-debug", "a #DB brings the state that its delivery leaves", debug},
	{"event-int1", "INT1 continues after itself and leaves DR6", int1},
	{"event-alignment", "an #AC takes the place of what was on its way", alignment},
	{"event-again", "an event that an exit interrupted is delivered again, whole", again},
};

int main(void) { return check_run(tests, array_count(tests)); }
