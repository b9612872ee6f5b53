// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the interrupt fabric with several CPUs: which local APICs a message reaches.
#include "../check.h"

#include <vmm/irq/ioapic.h>
#include <vmm/irq/lapic.h>
#include <x86/apic.h>

enum { CPUS = 4, NONE = 0, ALL = 0xf };

static struct fabric fabric;
static struct lapic lapics[CPUS];
static struct ioapic ioapics[2];
static const struct clock guest_clock = {0};

// CPU i has the number i, and bit i as its flat logical destination.
static void fresh(void) {
	fabric = (struct fabric){0};
	for (unsigned i = 0; i < CPUS; i++) {
		lapics[i] = (struct lapic){.id = i, .clock = &guest_clock};
		fabric_add_lapic(&fabric, &lapics[i]);
		lapic_reset(&lapics[i]);
		lapic_register_write(&lapics[i], LAPIC_SPURIOUS, 0x1ff);
		lapic_register_write(&lapics[i], LAPIC_LOGICAL_DESTINATION, 1u << (24 + i));
	}
	for (unsigned i = 0; i < 2; i++) {
		ioapics[i] = (struct ioapic){0};
		fabric_add_ioapic(&fabric, &ioapics[i]);
		ioapic_reset(&ioapics[i]);
	}
}

static void x2apic(void) {
	for (unsigned i = 0; i < CPUS; i++)
		check(lapic_base_write(&lapics[i], lapics[i].base | APIC_BASE_X2APIC));
}

// The CPUs that the vector is pending at; they take and end it.
static unsigned taken(uint8_t vector) {
	unsigned mask = NONE;

	for (unsigned i = 0; i < CPUS; i++) {
		if (lapic_pending(&lapics[i]) != vector) continue;
		mask |= 1u << i;
		lapic_acknowledge(&lapics[i], vector);
		lapic_end_of_interrupt(&lapics[i]);
	}
	return mask;
}

static void command(unsigned from, uint64_t value) { lapic_command(&lapics[from], value); }

static void test_physical(void) {
	fresh();
	for (unsigned i = 0; i < CPUS; i++) {
		command(0, (uint64_t)i << 56 | 0x50);
		check_equal(taken(0x50), 1u << i);
	}
	command(1, 9ull << 56 | 0x50);
	check_equal(taken(0x50), NONE);
	command(1, 0xffull << 56 | 0x50);
	check_equal(taken(0x50), ALL);
	x2apic();
	command(1, 3ull << 32 | 0x50);
	check_equal(taken(0x50), 1 << 3);
	command(1, 0xffull << 32 | 0x50);
	check_equal(taken(0x50), NONE);
	command(1, 0xffffffffull << 32 | 0x50);
	check_equal(taken(0x50), ALL);
}

static void test_logical(void) {
	fresh();
	command(3, 5ull << 56 | COMMAND_LOGICAL | 0x51);
	check_equal(taken(0x51), 1 << 0 | 1 << 2);
	// Clusters: two of them with two CPUs each.
	for (unsigned i = 0; i < CPUS; i++) {
		lapic_register_write(&lapics[i], LAPIC_DESTINATION_FORMAT, 0);
		lapic_register_write(
			&lapics[i], LAPIC_LOGICAL_DESTINATION, (i / 2u << 4 | 1u << i % 2) << 24);
	}
	command(3, 0x11ull << 56 | COMMAND_LOGICAL | 0x51);
	check_equal(taken(0x51), 1 << 2);
	command(3, 0x03ull << 56 | COMMAND_LOGICAL | 0x51);
	check_equal(taken(0x51), 1 << 0 | 1 << 1);
	command(3, 0xf2ull << 56 | COMMAND_LOGICAL | 0x51);
	check_equal(taken(0x51), 1 << 1 | 1 << 3);
	x2apic();
	command(3, 6ull << 32 | COMMAND_LOGICAL | 0x51);
	check_equal(taken(0x51), 1 << 1 | 1 << 2);
	command(3, (uint64_t)(1 << 16 | 6) << 32 | COMMAND_LOGICAL | 0x51);
	check_equal(taken(0x51), NONE);
}

static void test_shorthands(void) {
	fresh();
	command(2, SHORTHAND_SELF << COMMAND_SHORTHAND_SHIFT | 0x52);
	check_equal(taken(0x52), 1 << 2);
	command(2, SHORTHAND_ALL << COMMAND_SHORTHAND_SHIFT | 0x52);
	check_equal(taken(0x52), ALL);
	command(2, SHORTHAND_OTHERS << COMMAND_SHORTHAND_SHIFT | 0x52);
	check_equal(taken(0x52), ALL & ~(1 << 2));
	command(2, SHORTHAND_OTHERS << COMMAND_SHORTHAND_SHIFT | DELIVERY_NMI << 8);
	for (unsigned i = 0; i < CPUS; i++)
		check_equal(lapics[i].nmi_pending, i != 2);
	// One that a controller has injected is not taken back.
	check(lapic_base_write(&lapics[0], lapics[0].base & ~(uint64_t)APIC_BASE_ENABLED));
	lapics[0].nmi_pending = true;
	lapic_receive(&lapics[0], &(struct apic_message){.delivery = DELIVERY_NMI});
	check(lapics[0].nmi_pending);
}

static void lowest(unsigned expected) {
	fabric_send(&fabric,
		&(struct apic_message){.destination = 0xff,
			.delivery = DELIVERY_LOWEST,
			.destination_mode = DESTINATION_LOGICAL,
			.vector = 0x53});
	check_equal(taken(0x53), expected);
}

static void test_lowest(void) {
	fresh();
	lowest(1 << 0);
	lapic_register_write(&lapics[0], LAPIC_TASK_PRIORITY, 0x20);
	lapic_register_write(&lapics[1], LAPIC_TASK_PRIORITY, 0x30);
	lapic_register_write(&lapics[3], LAPIC_TASK_PRIORITY, 0x10);
	lowest(1 << 2);
	lapic_acknowledge(&lapics[2], 0x40); // in service: a priority, too
	lowest(1 << 3);
	lapic_register_write(&lapics[3], LAPIC_SPURIOUS, 0xff); // switched off
	lowest(1 << 0);
	for (unsigned i = 0; i < CPUS; i++)
		lapic_register_write(&lapics[i], LAPIC_SPURIOUS, 0xff);
	lowest(NONE);
}

static void test_msi(void) {
	fresh();
	fabric_msi(&fabric, MESSAGE_ADDRESS | 2 << MESSAGE_TARGET_SHIFT, 0x54);
	check_equal(taken(0x54), 1 << 2);
	fabric_msi(&fabric, MESSAGE_ADDRESS | 6 << MESSAGE_TARGET_SHIFT | MSI_LOGICAL, 0x54);
	check_equal(taken(0x54), 1 << 1 | 1 << 2);
	fabric_msi(&fabric, MESSAGE_ADDRESS | 0xff << MESSAGE_TARGET_SHIFT, 0x54);
	check_equal(taken(0x54), ALL);
	fabric_msi(&fabric, MESSAGE_ADDRESS | 0xff << MESSAGE_TARGET_SHIFT | MSI_LOGICAL,
		DELIVERY_LOWEST << MSI_DELIVERY_SHIFT | 0x54);
	check_equal(taken(0x54), 1 << 0);
	fabric_msi(&fabric, MESSAGE_ADDRESS, DELIVERY_NMI << MSI_DELIVERY_SHIFT);
	check(lapics[0].nmi_pending && !lapics[1].nmi_pending);
	fabric_msi(&fabric, MESSAGE_ADDRESS + 0x100000, 0x54); // not an interrupt
	fabric_msi(&fabric, 1ull << 32 | MESSAGE_ADDRESS, 0x54);
	check_equal(taken(0x54), NONE);
	x2apic();
	fabric_msi(&fabric, MESSAGE_ADDRESS | 0xff << MESSAGE_TARGET_SHIFT, 0x54);
	check_equal(taken(0x54), ALL);
}

// The end of an interrupt reaches each I/O APIC, which sends it again as long as its line is high.
static void test_two_ioapics(void) {
	fresh();
	for (unsigned i = 0; i < 2; i++) {
		ioapics[i].redirection[3] = 1ull << 56 | MSI_LEVEL | 0x55;
		ioapic_pin_changed(&ioapics[i], 3, LINE_HIGH);
	}
	ioapic_pin_changed(&ioapics[0], 3, LINE_LOW);
	check_equal(taken(0x55), 1 << 1);
	check_equal(ioapics[0].redirection[3] >> 14 & 1, 0);
	check_equal(ioapics[1].redirection[3] >> 14 & 1, 1);
	ioapic_pin_changed(&ioapics[1], 3, LINE_LOW);
	check_equal(taken(0x55), 1 << 1);
	check_equal(taken(0x55), NONE);
}

static void test_boot_processor(void) {
	fresh();
	for (unsigned i = 0; i < CPUS; i++)
		check_equal(lapics[i].base & APIC_BASE_BSP, i == 0 ? APIC_BASE_BSP : 0);
	check(!lapic_base_write(&lapics[1], LAPIC_ADDRESS | APIC_BASE_ENABLED | APIC_BASE_BSP));
	check_equal(lapic_register_read(&lapics[3], LAPIC_ID), 3u << 24);
	x2apic();
	check_equal(lapic_register_read(&lapics[3], LAPIC_LOGICAL_DESTINATION), 1 << 3);
}

int main(void) {
	static const struct test tests[] = {
		{"fabric.physical", "a number reaches one CPU, all ones every CPU", test_physical},
		{"fabric.logical", "sets and clusters reach their members", test_logical},
		{"fabric.shorthands", "self, all and others are what they say", test_shorthands},
		{"fabric.lowest", "lowest priority reaches one CPU that is least busy",
			test_lowest},
		{"fabric.msi", "a device's write becomes a message", test_msi},
		{"fabric.end", "every I/O APIC learns of the end of an interrupt",
			test_two_ioapics},
		{"fabric.boot", "one CPU is the boot processor, each has its number",
			test_boot_processor},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
