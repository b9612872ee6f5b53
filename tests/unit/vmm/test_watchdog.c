// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the watchdog on the guest's PCI bus, as Linux' driver uses it.
#include "../check.h"
#include "pci_rig.h"

#include <vmm/device/watchdog.h>

enum { WATCHDOG_SLOT = 29, HERTZ = 1000000 };
#define REGISTERS 0xc0100000u

static struct watchdog watchdog;
static uint64_t now;

static uint64_t read_clock(void) { return now; }

static const struct clock clock = {.read = read_clock, .hertz = HERTZ};

static void put(unsigned offset, uint64_t value, enum bus_width width) {
	bus_write(&memory, REGISTERS + offset, width, value);
}

static uint64_t value_of(unsigned offset) {
	return bus_read(&memory, REGISTERS + offset, BUS_WIDTH_4);
}

static void unlock(void) {
	put(WATCHDOG_RELOAD, WATCHDOG_UNLOCK_FIRST, BUS_WIDTH_2);
	put(WATCHDOG_RELOAD, WATCHDOG_UNLOCK_SECOND, BUS_WIDTH_2);
}

static void set_preload(unsigned stage, uint32_t value) {
	unlock();
	put(WATCHDOG_PRELOAD + 4 * stage, value, BUS_WIDTH_4);
}

static void feed(void) {
	unlock();
	put(WATCHDOG_RELOAD, WATCHDOG_RELOAD_COUNTER, BUS_WIDTH_2);
}

static void configure(unsigned offset, enum bus_width width, uint32_t value) {
	bus_write(&memory, place(WATCHDOG_SLOT, offset), width, value);
}

static uint64_t configuration(unsigned offset, enum bus_width width) {
	return bus_read(&memory, place(WATCHDOG_SLOT, offset), width);
}

static void enable(uint32_t config, uint32_t lock) {
	configure(WATCHDOG_CONFIG, BUS_WIDTH_2, config);
	configure(WATCHDOG_LOCK, BUS_WIDTH_1, lock);
}

static void place_registers(void) {
	configure(PCI_REGISTER_BAR, BUS_WIDTH_4, REGISTERS);
	configure(PCI_REGISTER_COMMAND, BUS_WIDTH_2, PCI_COMMAND_MEMORY);
}

static void start(void) {
	fresh();
	now = 5;
	watchdog = (struct watchdog){.clock = &clock};
	watchdog_init(&watchdog);
	check(pci_host_add(&host, WATCHDOG_SLOT, &watchdog.function));
	pci_host_reset(&host);
	place_registers();
}

// The next moment at which the watchdog wants to be looked at; what it then says.
static bool at_expiry(void) {
	now = watchdog.expiry - 1;
	check(!watchdog_poll(&watchdog));
	now++;
	return watchdog_poll(&watchdog);
}

static void test_identity(void) {
	start();
	check_equal(configuration(0, BUS_WIDTH_4), 0x25ab8086);
	check_equal(configuration(PCI_REGISTER_CLASS + 2, BUS_WIDTH_2), 0x0880);
	check_equal(value_of(WATCHDOG_PRELOAD), 0xfffff);
	check(!watchdog_poll(&watchdog) && watchdog.expiry == CLOCK_NEVER);
}

static void test_stages(void) {
	start();
	set_preload(0, 1000);
	set_preload(1, 500);
	enable(WATCHDOG_CONFIG_INTERRUPT, WATCHDOG_LOCK_ENABLE);
	// 1000 counts of 2^15 clocks of 33 MHz.
	check_equal(watchdog.expiry, 5 + 992969);
	check(!at_expiry());
	check_equal(value_of(WATCHDOG_STATUS), WATCHDOG_STATUS_STAGE);
	check_equal(value_of(WATCHDOG_RELOAD), 0);
	check_equal(watchdog.expiry, 5 + 992969 + 496484);
	check(at_expiry());
	check_equal(value_of(WATCHDOG_RELOAD), WATCHDOG_RELOAD_TIMEOUT);
	// The guest that starts again sees why.
	pci_host_reset(&host);
	watchdog_reset(&watchdog);
	place_registers();
	check_equal(value_of(WATCHDOG_RELOAD), WATCHDOG_RELOAD_TIMEOUT);
	check(!watchdog_poll(&watchdog) && watchdog.expiry == CLOCK_NEVER);
	unlock();
	put(WATCHDOG_RELOAD, WATCHDOG_RELOAD_TIMEOUT, BUS_WIDTH_2);
	check_equal(value_of(WATCHDOG_RELOAD), 0);
}

static void test_feeding(void) {
	start();
	set_preload(0, 1000);
	set_preload(1, 1000);
	enable(WATCHDOG_CONFIG_INTERRUPT, WATCHDOG_LOCK_ENABLE);
	for (unsigned i = 0; i < 10; i++) {
		check(!at_expiry());
		now += 900000;
		check(!watchdog_poll(&watchdog));
		feed();
		check_equal(watchdog.stage, 0);
		check_equal(watchdog.expiry, now + 992969);
	}
	check(!at_expiry() && at_expiry());
}

// A single write that goes astray neither feeds it nor changes its time.
static void test_unlock(void) {
	start();
	put(WATCHDOG_PRELOAD, 1, BUS_WIDTH_4);
	put(WATCHDOG_RELOAD, WATCHDOG_UNLOCK_SECOND, BUS_WIDTH_2);
	put(WATCHDOG_PRELOAD, 1, BUS_WIDTH_4);
	put(WATCHDOG_RELOAD, WATCHDOG_UNLOCK_FIRST, BUS_WIDTH_2);
	put(WATCHDOG_PRELOAD, 1, BUS_WIDTH_4);
	put(WATCHDOG_RELOAD, WATCHDOG_UNLOCK_SECOND, BUS_WIDTH_2);
	put(WATCHDOG_PRELOAD, 1, BUS_WIDTH_4);
	check_equal(value_of(WATCHDOG_PRELOAD), 0xfffff);
	set_preload(0, 0x1234567);
	check_equal(value_of(WATCHDOG_PRELOAD), 0x34567);
	put(WATCHDOG_PRELOAD, 1, BUS_WIDTH_4); // locked again
	check_equal(value_of(WATCHDOG_PRELOAD), 0x34567);
	enable(0, WATCHDOG_LOCK_ENABLE);
	now += 10;
	uint64_t expiry = watchdog.expiry;

	put(WATCHDOG_RELOAD, WATCHDOG_RELOAD_COUNTER, BUS_WIDTH_2);
	check_equal(watchdog.expiry, expiry);
}

static void test_lock(void) {
	start();
	enable(0, WATCHDOG_LOCK_ENABLE);
	configure(WATCHDOG_LOCK, BUS_WIDTH_1, 0);
	check_equal(watchdog.expiry, CLOCK_NEVER);
	enable(0, WATCHDOG_LOCK_ENABLE | WATCHDOG_LOCK_LOCKED);
	uint64_t expiry = watchdog.expiry;

	now += 10;
	configure(WATCHDOG_LOCK, BUS_WIDTH_1, 0);
	check_equal(configuration(WATCHDOG_LOCK, BUS_WIDTH_1),
		WATCHDOG_LOCK_ENABLE | WATCHDOG_LOCK_LOCKED);
	check_equal(watchdog.expiry, expiry);
	pci_host_reset(&host);
	watchdog_reset(&watchdog);
	check_equal(configuration(WATCHDOG_LOCK, BUS_WIDTH_1), 0);
	check_equal(watchdog.expiry, CLOCK_NEVER);
}

static void test_modes(void) {
	start();
	set_preload(0, 1000);
	set_preload(1, 0xfffff);
	enable(WATCHDOG_CONFIG_FAST | WATCHDOG_CONFIG_NO_RESET, WATCHDOG_LOCK_ENABLE);
	check_equal(watchdog.expiry, 5 + 969); // 1000 counts of 2^5 clocks
	check(!at_expiry());
	check(!at_expiry()); // would reset, but for the configuration
	check_equal(value_of(WATCHDOG_RELOAD), WATCHDOG_RELOAD_TIMEOUT);
	check_equal(watchdog.expiry, CLOCK_NEVER);
	configure(WATCHDOG_LOCK, BUS_WIDTH_1, WATCHDOG_LOCK_ENABLE | WATCHDOG_LOCK_FREE);
	check_equal(watchdog.expiry, CLOCK_NEVER);
}

int main(void) {
	static const struct test tests[] = {
		{"watchdog.identity", "the function is found, and counts nothing", test_identity},
		{"watchdog.stages", "two stages end, then the machine is reset", test_stages},
		{"watchdog.feeding", "a reload begins the first stage", test_feeding},
		{"watchdog.unlock", "writes without the sequence do nothing", test_unlock},
		{"watchdog.lock", "what is locked stays until a reset", test_lock},
		{"watchdog.modes", "fast, without reset, free running", test_modes},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
