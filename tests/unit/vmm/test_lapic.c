// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the local APIC and the I/O APIC.
#include "../check.h"

#include <vmm/irq/ioapic.h>
#include <vmm/irq/lapic.h>
#include <x86/apic.h>

static uint64_t ticks;
static struct lapic lapic;
static struct ioapic ioapic;
static struct fabric fabric;
static struct bus bus;

static uint64_t read_ticks(void) { return ticks; }

static struct clock guest_clock = {.read = read_ticks, .hertz = 1000000, .offset = 1000};

static void write(unsigned index, uint32_t value) {
	bus_write(&bus, LAPIC_ADDRESS + index * 16, BUS_WIDTH_4, value);
}

static uint32_t read(unsigned index) {
	return (uint32_t)bus_read(&bus, LAPIC_ADDRESS + index * 16, BUS_WIDTH_4);
}

static void fresh(void) {
	ticks = 0;
	bus = (struct bus){0};
	fabric = (struct fabric){0};
	lapic = (struct lapic){.clock = &guest_clock};
	ioapic = (struct ioapic){0};
	check(lapic_attach(&lapic, &bus) && ioapic_attach(&ioapic, &bus));
	fabric_add_lapic(&fabric, &lapic);
	fabric_add_ioapic(&fabric, &ioapic);
	lapic_reset(&lapic);
	ioapic_reset(&ioapic);
	write(LAPIC_SPURIOUS, 0x1ff);
}

static void fixed(uint8_t vector) {
	lapic_receive(&lapic, &(struct apic_message){.vector = vector});
}

static void take(int expected) {
	int vector = lapic_pending(&lapic);

	check_equal(vector, expected);
	if (vector != LAPIC_NONE) lapic_acknowledge(&lapic, (uint8_t)vector);
}

static void test_reset(void) {
	fresh();
	lapic_reset(&lapic);
	check_equal(read(LAPIC_VERSION_REGISTER), 0x50014);
	check_equal(read(LAPIC_SPURIOUS), 0xff);
	check_equal(read(LAPIC_LVT_TIMER), LVT_MASKED);
	check_equal(lapic.base, 0xfee00900);
	fixed(0x40);
	check_equal(lapic_pending(&lapic), LAPIC_NONE);
	write(LAPIC_LVT_TIMER + LVT_LINT0, 0x30);
	check_equal(read(LAPIC_LVT_TIMER + LVT_LINT0), LVT_MASKED | 0x30);
}

static void test_priorities(void) {
	fresh();
	fixed(0x41);
	fixed(0x52);
	take(0x52);
	check_equal(read(LAPIC_PROCESSOR_PRIORITY), 0x50);
	take(LAPIC_NONE);
	fixed(0x5f); // same class waits
	take(LAPIC_NONE);
	fixed(0x61);
	take(0x61);
	write(LAPIC_EOI, 0);
	take(LAPIC_NONE);
	write(LAPIC_EOI, 0);
	take(0x5f);
	write(LAPIC_EOI, 0);
	write(LAPIC_TASK_PRIORITY, 0x40);
	take(LAPIC_NONE);
	write(LAPIC_TASK_PRIORITY, 0x3f);
	take(0x41);
	write(LAPIC_EOI, 0);
	write(LAPIC_EOI, 0);
}

static void test_bits(void) {
	fresh();
	fixed(0x91);
	check_equal(read(LAPIC_REQUESTED + 4), 1u << 17);
	take(0x91);
	check_equal(read(LAPIC_REQUESTED + 4), 0);
	check_equal(read(LAPIC_IN_SERVICE + 4), 1u << 17);
	lapic_withdraw(&lapic, 0x91);
	take(0x91);
}

static void test_one_shot(void) {
	fresh();
	write(LAPIC_DIVIDE, 3); // by 16
	write(LAPIC_LVT_TIMER, 0x35);
	write(LAPIC_INITIAL_COUNT, 100);
	ticks = 800;
	check_equal(read(LAPIC_CURRENT_COUNT), 50);
	lapic_timer_poll(&lapic);
	take(LAPIC_NONE);
	ticks = 1600;
	lapic_timer_poll(&lapic);
	take(0x35);
	check_equal(lapic.timer.expiry, CLOCK_NEVER);
	check_equal(read(LAPIC_CURRENT_COUNT), 0);
	check_equal(read(LAPIC_INITIAL_COUNT), 100);
}

static void test_divides(void) {
	static const struct {
		uint32_t code, divisor;
	} rows[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};

	for (unsigned i = 0; i < 8; i++) {
		fresh();
		write(LAPIC_DIVIDE, rows[i].code);
		write(LAPIC_INITIAL_COUNT, 10);
		check_equal(lapic.timer.expiry, 1000 + 10 * rows[i].divisor);
	}
}

static void test_fast_clock(void) {
	fresh();
	guest_clock.hertz = 5200000000; // CPUID reports a crystal of half that rate
	write(LAPIC_DIVIDE, 11);
	write(LAPIC_INITIAL_COUNT, 10);
	check_equal(lapic.timer.expiry, 1000 + 10 * 2);
	ticks = 10;
	check_equal(read(LAPIC_CURRENT_COUNT), 5);
	guest_clock.hertz = 1000000;
}

static void test_periodic(void) {
	fresh();
	write(LAPIC_DIVIDE, 11);
	write(LAPIC_LVT_TIMER, LVT_TIMER_PERIODIC | 0x35);
	write(LAPIC_INITIAL_COUNT, 100);
	ticks = 350; // three ticks late by one round: one interrupt, same phase
	lapic_timer_poll(&lapic);
	take(0x35);
	write(LAPIC_EOI, 0);
	check_equal(lapic.timer.expiry, 1400);
	take(LAPIC_NONE);
	ticks = 400;
	lapic_timer_poll(&lapic);
	take(0x35);
	write(LAPIC_EOI, 0);
	write(LAPIC_INITIAL_COUNT, 0);
	check_equal(lapic.timer.expiry, CLOCK_NEVER);
}

static void test_deadline(void) {
	fresh();
	lapic_deadline_write(&lapic, 5000); // not in this mode yet
	check_equal(lapic.timer.expiry, CLOCK_NEVER);
	write(LAPIC_LVT_TIMER, LVT_TIMER_DEADLINE | 0x36);
	lapic_deadline_write(&lapic, 5000);
	check_equal(lapic_deadline_read(&lapic), 5000);
	write(LAPIC_INITIAL_COUNT, 7);
	check_equal(read(LAPIC_CURRENT_COUNT), 0);
	ticks = 3999;
	lapic_timer_poll(&lapic);
	take(LAPIC_NONE);
	ticks = 4000;
	lapic_timer_poll(&lapic);
	take(0x36);
	check_equal(lapic_deadline_read(&lapic), 0);
	write(LAPIC_EOI, 0);
	lapic_deadline_write(&lapic, 6000);
	write(LAPIC_LVT_TIMER, 0x36);
	check_equal(lapic.timer.expiry, CLOCK_NEVER);
}

static void test_masked_timer(void) {
	fresh();
	write(LAPIC_LVT_TIMER, LVT_MASKED | 0x35);
	write(LAPIC_INITIAL_COUNT, 1);
	ticks = 100;
	lapic_timer_poll(&lapic);
	take(LAPIC_NONE);
}

static void test_self_ipi(void) {
	fresh();
	write(LAPIC_COMMAND_LOW, SHORTHAND_SELF << COMMAND_SHORTHAND_SHIFT | 0x71);
	take(0x71);
	write(LAPIC_EOI, 0);
	write(LAPIC_COMMAND_HIGH, 0);
	write(LAPIC_COMMAND_LOW, 0x72); // physical 0: itself
	take(0x72);
	write(LAPIC_EOI, 0);
	write(LAPIC_COMMAND_HIGH, 5u << 24);
	write(LAPIC_COMMAND_LOW, 0x73);
	take(LAPIC_NONE);
	write(LAPIC_COMMAND_LOW, SHORTHAND_OTHERS << COMMAND_SHORTHAND_SHIFT | 0x73);
	take(LAPIC_NONE);
	write(LAPIC_LOGICAL_DESTINATION, 1u << 24);
	write(LAPIC_COMMAND_HIGH, 3u << 24);
	write(LAPIC_COMMAND_LOW, COMMAND_LOGICAL | 0x74);
	take(0x74);
	write(LAPIC_COMMAND_LOW, SHORTHAND_SELF << COMMAND_SHORTHAND_SHIFT | DELIVERY_NMI << 8 | 2);
	check(lapic.nmi_pending);
}

static void test_errors(void) {
	fresh();
	write(LAPIC_LVT_ERROR, 0xf0);
	write(LAPIC_COMMAND_LOW, SHORTHAND_SELF << COMMAND_SHORTHAND_SHIFT | 5);
	take(0xf0);
	check_equal(read(LAPIC_ERROR_STATUS), 0);
	write(LAPIC_ERROR_STATUS, 0);
	check_equal(read(LAPIC_ERROR_STATUS), ERROR_SEND_ILLEGAL_VECTOR);
	fixed(3);
	write(LAPIC_ERROR_STATUS, 0);
	check_equal(read(LAPIC_ERROR_STATUS), ERROR_RECEIVE_ILLEGAL_VECTOR);
	write(LAPIC_LVT_ERROR, 2); // must not report itself for ever
	fixed(3);
	check_equal(bus_read(&bus, LAPIC_ADDRESS + 4, BUS_WIDTH_4), 0);
}

static void test_base(void) {
	fresh();
	check(!lapic_base_write(&lapic, 0xfee00500)); // x2APIC without enable
	check(!lapic_base_write(&lapic, 0xfed00900)); // elsewhere
	check(lapic_base_write(&lapic, 0xfee00d00));
	check(!lapic_base_write(&lapic, 0xfee00900));
	check_equal(read(LAPIC_VERSION_REGISTER), UINT32_MAX);
	check(lapic_base_write(&lapic, 0xfee00100));
	check(!lapic_base_write(&lapic, 0xfee00d00));
	check(lapic_base_write(&lapic, 0xfee00900));
}

static void test_x2apic(void) {
	uint64_t value;

	fresh();
	check(!lapic_msr_read(&lapic, 0x802, &value));
	check(lapic_base_write(&lapic, 0xfee00d00));
	check(lapic_msr_read(&lapic, 0x802, &value) && value == 0);
	check(lapic_msr_read(&lapic, 0x80d, &value) && value == 1);
	check(!lapic_msr_read(&lapic, 0x80b, &value));
	check(!lapic_msr_read(&lapic, 0x80e, &value));
	check(!lapic_msr_read(&lapic, 0x831, &value));
	check(!lapic_msr_read(&lapic, 0x8ff, &value));
	check(!lapic_msr_write(&lapic, 0x802, 0));
	check(!lapic_msr_write(&lapic, 0x80b, 1));
	check(!lapic_msr_write(&lapic, 0x808, 0x100));
	check(!lapic_msr_write(&lapic, 0x828, 1));
	check(!lapic_msr_write(&lapic, 0x838, 1ull << 32));
	check(lapic_msr_write(&lapic, 0x83f, 0x55));
	take(0x55);
	check(lapic_msr_read(&lapic, 0x830, &value) && value == 0);
	check(lapic_msr_write(&lapic, 0x80b, 0));
	check(lapic_msr_write(&lapic, 0x830, 0x56));
	take(0x56);
	check(lapic_msr_write(&lapic, 0x80b, 0));
	check(lapic_msr_write(&lapic, 0x830, 1ull << 32 | 0x57));
	take(LAPIC_NONE);
	check(lapic_msr_write(&lapic, 0x830, 1ull << 32 | COMMAND_LOGICAL | 0x58));
	take(0x58);
}

static void ioapic_write(unsigned index, uint32_t value) {
	bus_write(&bus, IOAPIC_ADDRESS + 0x00, BUS_WIDTH_4, index);
	bus_write(&bus, IOAPIC_ADDRESS + 0x10, BUS_WIDTH_4, value);
}

static uint32_t ioapic_read(unsigned index) {
	bus_write(&bus, IOAPIC_ADDRESS + 0x00, BUS_WIDTH_4, index);
	return (uint32_t)bus_read(&bus, IOAPIC_ADDRESS + 0x10, BUS_WIDTH_4);
}

static void test_ioapic_registers(void) {
	fresh();
	check_equal(ioapic_read(1), 0x00170020);
	ioapic_write(0, 0xffffffff);
	check_equal(ioapic_read(0), 0x0f000000);
	check_equal(ioapic_read(0x10), 0x10000);
	ioapic_write(0x3e, 0xffffffff);
	check_equal(ioapic_read(0x3e), 0x1afff);
	ioapic_write(0x3f, 0xffffffff);
	check_equal(ioapic_read(0x3f), 0xff000000);
	check_equal(ioapic_read(0x40), 0);
	ioapic_pin_changed(&ioapic, 24, LINE_HIGH);
}

static void test_ioapic_edge(void) {
	fresh();
	ioapic_write(0x18, 0x44);
	ioapic_pin_changed(&ioapic, 4, LINE_HIGH);
	take(0x44);
	ioapic_pin_changed(&ioapic, 4, LINE_LOW);
	write(LAPIC_EOI, 0);
	take(LAPIC_NONE);
	ioapic_write(0x18, 0x10044);
	ioapic_pin_changed(&ioapic, 4, LINE_HIGH); // kept while masked
	take(LAPIC_NONE);
	ioapic_write(0x18, 0x44);
	take(0x44);
}

// An I/O APIC has eight destination bits, of which all ones is a broadcast. In x2APIC mode that is
// another destination than FFh, which is the number of a CPU that does not exist.
static void test_broadcast(void) {
	fresh();
	ioapic_write(0x19, 0xff000000);
	ioapic_write(0x18, 0x44);
	ioapic_pin_changed(&ioapic, 4, LINE_HIGH);
	take(0x44);
	lapic_command(&lapic, 0xffull << 56 | 0x55);
	take(0x55);
	check(lapic_base_write(&lapic, LAPIC_ADDRESS | APIC_BASE_BSP | 0xc00));
	lapic_command(&lapic, 0xffull << 32 | 0x66);
	take(LAPIC_NONE);
	lapic_command(&lapic, 0xffffffffull << 32 | 0x66);
	take(0x66);
	ioapic_write(0x18, 0x77);
	ioapic_pin_changed(&ioapic, 4, LINE_LOW);
	ioapic_pin_changed(&ioapic, 4, LINE_HIGH);
	take(0x77);
}

static void test_ioapic_level(void) {
	fresh();
	ioapic_write(0x18, 0x8044);
	ioapic_pin_changed(&ioapic, 4, LINE_HIGH);
	take(0x44);
	check_equal(ioapic_read(0x18), 0xc044);
	check_equal(read(LAPIC_TRIGGER_MODE + 2), 1 << 4);
	write(LAPIC_EOI, 0); // still high: comes again
	take(0x44);
	ioapic_pin_changed(&ioapic, 4, LINE_LOW);
	write(LAPIC_EOI, 0);
	take(LAPIC_NONE);
	check_equal(ioapic_read(0x18), 0x8044);
	ioapic_pin_changed(&ioapic, 4, LINE_HIGH);
	take(0x44);
	ioapic_pin_changed(&ioapic, 4, LINE_LOW);
	bus_write(&bus, IOAPIC_ADDRESS + 0x40, BUS_WIDTH_4, 0x44); // EOI register
	check_equal(ioapic_read(0x18), 0x8044);
}

static void test_junk(void) {
	uint32_t seed = 3;

	fresh();
	for (unsigned i = 0; i < 300000; i++, seed = seed * 1664525 + 1013904223) {
		uint64_t value, offset = seed >> 12 & 0xfff;
		uint32_t word = seed * 2654435761u;

		ticks += seed >> 20;
		if (seed & 0x100)
			bus_write(&bus, LAPIC_ADDRESS + offset, BUS_WIDTH_4, word);
		else
			(void)!lapic_msr_write(&lapic, 0x800 + (offset & 0xff), word);
		(void)!lapic_msr_read(&lapic, 0x800 + (offset & 0xff), &value);
		(void)bus_read(&bus, LAPIC_ADDRESS + offset, BUS_WIDTH_4);
		ioapic_write(word & 0xff, seed);
		ioapic_pin_changed(&ioapic, seed >> 9 & 31, word & 1 ? LINE_HIGH : LINE_LOW);
		lapic_timer_poll(&lapic);
		if (i % 1000 == 0) (void)!lapic_base_write(&lapic, 0xfee00100 | (word & 0xc00));
		int vector = lapic_pending(&lapic);

		check(vector == LAPIC_NONE || vector >= 16);
		if (vector != LAPIC_NONE) lapic_acknowledge(&lapic, (uint8_t)vector);
	}
}

int main(void) {
	static const struct test tests[] = {
		{"lapic.reset", "after reset it is disabled and all is masked", test_reset},
		{"lapic.priorities", "vectors wait for higher and equal classes", test_priorities},
		{"lapic.bits", "request and service registers show the vectors", test_bits},
		{"lapic.one_shot", "the one-shot timer counts down and fires once", test_one_shot},
		{"lapic.divides", "all eight dividers work", test_divides},
		{"lapic.fast_clock", "the timer runs at CPUID's rate", test_fast_clock},
		{"lapic.periodic", "the periodic timer keeps its phase", test_periodic},
		{"lapic.deadline", "the deadline mode fires at its moment only", test_deadline},
		{"lapic.masked_timer", "a masked timer is silent", test_masked_timer},
		{"lapic.self_ipi", "interrupts to itself arrive, others do not", test_self_ipi},
		{"lapic.errors", "illegal vectors reach the error status", test_errors},
		{"lapic.base", "mode changes follow the manual's transitions", test_base},
		{"lapic.x2apic", "the MSR interface refuses what is reserved", test_x2apic},
		{"ioapic.registers", "registers keep their writable bits", test_ioapic_registers},
		{"ioapic.edge", "edges arrive once, also after unmasking", test_ioapic_edge},
		{"apic.broadcast", "broadcasts arrive in both modes, FFh in one", test_broadcast},
		{"ioapic.level", "levels repeat until the line falls", test_ioapic_level},
		{"apic.junk", "random accesses keep the models consistent", test_junk},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
