// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the local APIC's word in guest memory, by which a guest ends interrupts.
#include "../check.h"

#include <vmm/irq/lapic.h>

enum { WORD = 8, NEXT = 12 };

static uint64_t read_ticks(void) { return 0; }

static const struct clock guest_clock = {.read = read_ticks, .hertz = 1000000};
static uint32_t words[4];
static const struct guest_memory memory = {(uint8_t *)words, sizeof(words), 36};
static struct fabric fabric;
static struct lapic lapic;

static void fresh(void) {
	fabric = (struct fabric){0};
	lapic = (struct lapic){.clock = &guest_clock, .memory = &memory};
	fabric_add_lapic(&fabric, &lapic);
	lapic_reset(&lapic);
	lapic_register_write(&lapic, LAPIC_SPURIOUS, 0x1ff);
	words[WORD / 4] = 0;
	words[NEXT / 4] = 7;
}

static void receive(uint8_t vector, enum apic_trigger trigger) {
	lapic_receive(&lapic, &(struct apic_message){.vector = vector, .trigger = trigger});
}

static void take(uint8_t vector) {
	check_equal(lapic_pending(&lapic), vector);
	lapic_acknowledge(&lapic, vector);
}

static uint32_t in_service(void) { return lapic_processor_priority(&lapic); }

// Runs the guest, which ends its interrupt if its word says that it may.
static bool skips(void) {
	bool may;

	lapic_enter(&lapic);
	may = words[WORD / 4] & 1;
	words[WORD / 4] &= ~1u;
	lapic_left(&lapic);
	check(words[WORD / 4] == 0 && words[NEXT / 4] == 7);
	return may;
}

static void test_register(void) {
	fresh();
	receive(0x51, TRIGGER_EDGE);
	take(0x51);
	check(!skips());
	check(!lapic_skip_write(&lapic, WORD | 2) && !lapic_skip_write(&lapic, 16 | 1));
	check_equal(lapic.skip, 0);
	check(lapic_skip_write(&lapic, WORD | 1));
	check(skips());
	lapic_reset(&lapic);
	check(lapic.skip == 0 && lapic.memory == &memory);
}

static void test_end(void) {
	fresh();
	check(lapic_skip_write(&lapic, WORD | 1));
	check(!skips()); // nothing to end
	receive(0x51, TRIGGER_EDGE);
	take(0x51);
	check(skips());
	check_equal(in_service(), 0);
	receive(0x51, TRIGGER_EDGE);
	take(0x51);
	// An exit before the end: nothing has ended, and the register does what it always does.
	lapic_enter(&lapic);
	lapic_left(&lapic);
	check_equal(words[WORD / 4], 0);
	check_equal(in_service(), 0x50);
	lapic_register_write(&lapic, LAPIC_EOI, 0);
	check_equal(in_service(), 0);
	check(!skips());
}

// The inner interrupt of two ends so, then the outer one.
static void test_nested(void) {
	fresh();
	check(lapic_skip_write(&lapic, WORD | 1));
	receive(0x51, TRIGGER_EDGE);
	take(0x51);
	receive(0x61, TRIGGER_EDGE);
	take(0x61);
	check(skips());
	check_equal(in_service(), 0x50);
	check(skips());
	check_equal(in_service(), 0);
}

static void test_consequences(void) {
	fresh();
	check(lapic_skip_write(&lapic, WORD | 1));
	receive(0x51, TRIGGER_EDGE);
	take(0x51);
	receive(0x41, TRIGGER_EDGE);
	check(!skips());
	lapic_register_write(&lapic, LAPIC_EOI, 0);
	take(0x41);
	check(skips());
	receive(0x61, TRIGGER_LEVEL);
	take(0x61);
	check(!skips());
}

int main(void) {
	static const struct test tests[] = {
		{"lapic_skip.register", "the word is in RAM, and gone after reset", test_register},
		{"lapic_skip.end", "a guest ends an interrupt by its word, once", test_end},
		{"lapic_skip.nested", "ends come from the inside out", test_nested},
		{"lapic_skip.consequences", "not for levels, nor where a request waits",
			test_consequences},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
