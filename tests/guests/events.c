// SPDX-License-Identifier: BSD-2-Clause
// Events injected into the guest, time and interrupts of the host while it runs, and signals that
// end it.
#include <user/slots.h>
#include <x86/cr.h>

#include "guest.h"
#include "helper.h"
#include "test.h"

CODE_DECLARE(code_spin);
CODE_DECLARE(code_spin_masked);
CODE_DECLARE(code_count);
CODE_DECLARE(code_window);
CODE_DECLARE(code_halt_interruptible);
CODE_DECLARE(code_vmcall);

enum {
	EVENT_EXCEPTION = 3 << 8,
	EVENT_SOFTWARE = 4 << 8,
	EVENT_ERROR_CODE = 1 << 11,
	VECTOR_TEST = 0x40,
	TIMER_RATE_MASK = 0x1f,
};

static struct guest *const guest = &guest_one;
static volatile uint64_t work;
static volatile uint64_t ticks;
static seL4_CPtr irq_handler;

static void work_for_ever(void) {
	for (;;)
		work++;
}

static void count_ticks(void) {
	for (;;) {
		helper_wait(helper_notification);
		ticks++;
		helper_invoke(irq_handler, LABEL_IRQ_HANDLER_ACK, 0);
	}
}

// Injection

static void event_interrupt(const struct test *) {
	guest_reset(guest, CODE(code_spin));
	field_write(guest, VMCS_GUEST_RFLAGS, 0x202);
	guest->event = INTERRUPTION_VALID | VECTOR_TEST;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, 0), 0x100 + VECTOR_TEST);
	CHECK_EQUAL(*guest_word(guest, field_read(guest, VMCS_GUEST_RSP)), GUEST_CODE);
}

static void event_error_code(const struct test *) {
	uint64_t stack;

	guest_reset(guest, CODE(code_spin));
	field_write(guest, VMCS_ENTRY_ERROR_CODE, 0x50);
	guest->event = INTERRUPTION_VALID | EVENT_EXCEPTION | EVENT_ERROR_CODE | VECTOR_PROTECTION;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, 0), 0x100 + VECTOR_PROTECTION);
	stack = field_read(guest, VMCS_GUEST_RSP);
	CHECK_EQUAL(*guest_word(guest, stack), 0x50);
	CHECK_EQUAL(*guest_word(guest, stack + 8), GUEST_CODE);
}

static void event_software(const struct test *) {
	guest_reset(guest, CODE(code_spin));
	field_write(guest, VMCS_ENTRY_INSTRUCTION_LENGTH, 2);
	guest->event = INTERRUPTION_VALID | EVENT_SOFTWARE | VECTOR_TEST;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, 0), 0x100 + VECTOR_TEST);
	CHECK_EQUAL(*guest_word(guest, field_read(guest, VMCS_GUEST_RSP)), GUEST_CODE + 2);
}

static void event_window(const struct test *) {
	guest_reset(guest, CODE(code_window));
	guest->primary = PRIMARY_INTERRUPT_WINDOW;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_INTERRUPT_WINDOW);
	CHECK_EQUAL(guest->rip, GUEST_CODE + 4);
	guest->primary = 0;
	guest->event = INTERRUPTION_VALID | VECTOR_TEST;
	guest_enter(guest);
	CHECK_EQUAL(guest_register(guest, 0), 0x100 + VECTOR_TEST);
	guest_skip(guest);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest->rip, GUEST_CODE + 6);
}

// Another NMI can come when the handler has returned.
static void event_nmi(const struct test *) {
	guest_reset(guest, CODE(code_spin_masked));
	guest->event = INTERRUPTION_VALID | INTERRUPTION_NMI | VECTOR_NMI;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, 0), 0x100 + VECTOR_NMI);
	CHECK_EQUAL(guest->words[WORD_INTERRUPTIBILITY], INTERRUPTIBILITY_NMI);
	guest->primary = PRIMARY_NMI_WINDOW;
	guest_skip(guest);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_NMI_WINDOW);
	CHECK_EQUAL(guest->words[WORD_INTERRUPTIBILITY], 0);
	CHECK_EQUAL(guest->rip, GUEST_CODE);
	// QEMU 9 and 10 push RF with an NMI that is injected, as with a fault.
	CHECK_EQUAL(guest->words[WORD_RFLAGS] & ~(guest_is_svm ? (uint64_t)FLAGS_RF : 0), 2);
	guest_enter(guest); // and it can come at once
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_NMI_WINDOW);
	CHECK_EQUAL(guest->rip, GUEST_CODE + (guest_is_svm ? 1 : 0));
	CHECK_EQUAL(field_read(guest, VCPU_FIELD_DR6), 0xffff0ff0);
}

// The interrupt cannot be delivered because there is no IDT: the exit reports its
// vector.
static void event_vectoring(const struct test *) {
	guest_reset(guest, CODE(code_spin));
	field_write(guest, VMCS_GUEST_RFLAGS, 0x202);
	field_write(guest, VMCS_GUEST_IDTR_BASE, GUEST_HOLE);
	guest->event = INTERRUPTION_VALID | VECTOR_TEST;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_EPT_VIOLATION);
	CHECK_EQUAL(guest->words[WORD_GUEST_PHYSICAL], GUEST_HOLE + VECTOR_TEST * 16);
	CHECK_EQUAL(field_read(guest, VMCS_IDT_VECTORING), INTERRUPTION_VALID | VECTOR_TEST);
	field_write(guest, VMCS_GUEST_IDTR_BASE, GUEST_IDT);
	guest->event = INTERRUPTION_VALID | VECTOR_TEST;
	guest_enter(guest);
	CHECK_EQUAL(guest_register(guest, 0), 0x100 + VECTOR_TEST);
}

// Signals

static void event_pending(const struct test *) {
	guest_reset(guest, CODE(code_vmcall));
	helper_bind();
	seL4_Signal(helper_badged);
	guest->primary = 0x10;
	guest_enter(guest);
	CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_NOTIF);
	CHECK_EQUAL(guest->badge, HELPER_BADGE);
	CHECK_EQUAL(guest->words[WORD_RIP], GUEST_CODE);
	CHECK_EQUAL(guest->words[WORD_PRIMARY], 0x10);
	guest_enter(guest);
	CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_FAULT);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	helper_unbind();
}

static void check_signal_ends(const struct code *code, unsigned length) {
	uint64_t before;

	guest_reset(guest, code);
	helper_bind();
	for (int i = 0; i < 3; i++) {
		before = *guest_word(guest, GUEST_DATA);
		helper_run(helper_signal, HELPER_EQUAL);
		guest_enter(guest);
		CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_NOTIF);
		CHECK_EQUAL(guest->badge, HELPER_BADGE);
		CHECK(guest->rip >= GUEST_CODE && guest->rip < GUEST_CODE + length);
		CHECK(guest->words[WORD_PRIMARY] & 1u << 31);
		CHECK(*guest_word(guest, GUEST_DATA) > before);
	}
	helper_stop();
	helper_unbind();
}

static void event_signal(const struct test *) { check_signal_ends(CODE(code_spin), 16); }

static void event_signal_masked(const struct test *) {
	check_signal_ends(CODE(code_spin_masked), 16);
}

static void event_signal_halted(const struct test *) {
	guest_reset(guest, CODE(code_halt_interruptible));
	helper_bind();
	helper_run(helper_signal, HELPER_EQUAL);
	guest_enter(guest);
	CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_NOTIF);
	CHECK_EQUAL(guest->badge, HELPER_BADGE);
	helper_stop();
	helper_unbind();
}

// Time

static unsigned timer_rate(void) {
	return seL4_X86_VCPU_ReadMSR(guest->vcpu, MSR_VMX_MISC).value & TIMER_RATE_MASK;
}

// Switches the monitor's preemption timer on; false if this CPU has none.
static bool use_timer(uint64_t value) {
	field_write(guest, VMCS_PIN_CONTROLS, PIN_TIMER);
	field_write(guest, VMCS_PREEMPTION_TIMER, value);
	if (field_read(guest, VMCS_PIN_CONTROLS) & PIN_TIMER) return true;
	test_skip("this CPU has no preemption timer");
	return false;
}

static void event_timer(const struct test *) {
	const uint64_t value = 100000;
	uint64_t start;

	guest_reset(guest, CODE(code_spin_masked));
	if (!use_timer(value)) return;
	start = tsc_read();
	guest_enter(guest);
	CHECK(tsc_read() - start >= value << timer_rate());
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_TIMER);
	CHECK(*guest_word(guest, GUEST_DATA) > 0);
	CHECK_EQUAL(field_read(guest, VMCS_PREEMPTION_TIMER), value);
}

// Several slices of the kernel's own timer lie within the time of the monitor's.
static void event_timer_long(const struct test *) {
	const uint64_t value = 2000000;
	uint64_t before = work;

	guest_reset(guest, CODE(code_spin_masked));
	if (!use_timer(value)) return;
	helper_run(work_for_ever, HELPER_EQUAL);
	guest_enter(guest);
	helper_stop();
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_TIMER);
	// One round takes two instructions.
	CHECK(*guest_word(guest, GUEST_DATA) > value / 8);
	CHECK(work > before);
}

static void event_timer_saved(const struct test *) {
	const uint64_t value = 1000000;

	guest_reset(guest, CODE(code_vmcall));
	if (!use_timer(value)) return;
	field_write(guest, VMCS_EXIT_CONTROLS, EXIT_SAVE_TIMER);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK(field_read(guest, VMCS_PREEMPTION_TIMER) <= value);
	CHECK(field_read(guest, VMCS_PREEMPTION_TIMER) > value / 2);
}

// Host interrupts

enum {
	PIT_FIRST = 0x40,
	PIT_LAST = 0x43,
	PIT_COMMAND = 0x43,
	PIT_RATE_GENERATOR = 0x34,
	PIT_DIVISOR = 1193, // 1 kHz
	PIT_PIN = 2,
};

static bool pit_start(seL4_CPtr ports) {
	irq_handler = slots_allocate(1);
	if (seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, PIT_FIRST, PIT_LAST,
		    seL4_CapInitThreadCNode, ports, seL4_WordBits) ||
		seL4_IRQControl_GetIOAPIC(seL4_CapIRQControl, seL4_CapInitThreadCNode, irq_handler,
			seL4_WordBits, 0, PIT_PIN, 0, 0, 0) ||
		seL4_IRQHandler_SetNotification(irq_handler, helper_notification))
		return false;
	seL4_X86_IOPort_Out8(ports, PIT_COMMAND, PIT_RATE_GENERATOR);
	seL4_X86_IOPort_Out8(ports, PIT_FIRST, PIT_DIVISOR & 0xff);
	seL4_X86_IOPort_Out8(ports, PIT_FIRST, PIT_DIVISOR >> 8);
	seL4_IRQHandler_Ack(irq_handler);
	return true;
}

static void event_host_interrupt(const struct test *) {
	seL4_CPtr ports = slots_allocate(1);

	guest_reset(guest, CODE(code_count));
	guest->registers.ecx = 30000000;
	guest_set_registers(guest);
	ticks = 0;
	if (!pit_start(ports)) {
		test_skip("no interrupt from the PIT");
		return;
	}
	helper_run(count_ticks, HELPER_ABOVE);
	guest_enter(guest);
	CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_FAULT);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(*guest_word(guest, GUEST_DATA), 30000000);
	CHECK(ticks > 10);
	helper_stop();
	slots_delete(irq_handler, 1);
	slots_delete(ports, 1);
}

static const struct test tests[] = {
	{"event-interrupt", "an injected interrupt reaches the guest's handler", event_interrupt,
		NULL},
	{"event-error-code", "an injected exception brings its error code", event_error_code, NULL},
	{"event-software", "an injected INT returns after the instruction of the given length",
		event_software, NULL},
	{"event-window", "the interrupt window exits and what is injected there arrives",
		event_window, NULL},
	{"event-nmi", "an injected NMI blocks others until its handler returns", event_nmi, NULL},
	{"event-vectoring",
		"an event that could not be delivered is reported and can be injected again",
		event_vectoring, NULL},
	{"event-pending", "VMEnter with a signal pending returns at once, words unchanged",
		event_pending, NULL},
	{"event-signal", "a signal ends the guest's run, again and again", event_signal, NULL},
	{"event-signal-masked", "a guest with interrupts off is preempted all the same",
		event_signal_masked, NULL},
	{"event-signal-halted", "a guest in HLT leaves the CPU to others", event_signal_halted,
		NULL},
	{"event-timer", "the monitor's preemption timer exits after its time", event_timer, NULL},
	{"event-timer-long", "the monitor's timer continues over the kernel's slices",
		event_timer_long, NULL},
	{"event-timer-saved", "the rest of the time is saved when asked to", event_timer_saved,
		NULL},
	{"event-host-interrupt", "the host's interrupts are handled without the VMM",
		event_host_interrupt, NULL},
};

TEST_FILE(test_events);
