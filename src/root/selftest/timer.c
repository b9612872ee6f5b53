// SPDX-License-Identifier: BSD-2-Clause
// The kernel's timer wakes a thread while another one is spinning, neither early nor late, and the
// TSC counts as the kernel says, by the ACPI timer (ACPI 6.4, 4.8.2.1), a clock of its own.
#include <root/selftest/selftest.h>

#include <root/firmware_tables.h>
#include <root/selftest/alarm.h>

#include <user/print.h>
#include <user/slots.h>
#include <x86/cpuid.h>
#include <x86/instructions.h>
#include <x86/timer.h>

enum {
	TRIES = 5, // a hypervisor may take the core away in some of them
	ENOUGH = 3,
	LATE = 1000, // microseconds
	LATE_WITH_HOST = 100000, // the host may have many other things to do
	EARLY = 200, // microseconds: the period begins when the thread began to wait
	PART = 100, // the clocks may differ by this part
	SPAN = 2000, // microseconds to compare them for
	PM_MASK = 0xffffff, // of the bits that each such timer has
};

static void check_wakeup(struct selftest *run) {
	uint64_t late = cpuid(1, 0).ecx & LEAF_1_ECX_HYPERVISOR ? LATE_WITH_HOST : LATE;
	uint64_t slept, wrong = 0;
	unsigned right = 0;

	for (unsigned i = 0; i < TRIES && right < ENOUGH; i++) {
		slept = alarm_measure() / alarm_ticks();
		if (slept == 0) {
			selftest_fail(run,
				"a thread that waits for %u us did not wake up in a second, try "
				"deadline=off",
				ALARM_PERIOD);
			return;
		}
		if (slept + EARLY >= ALARM_PERIOD && slept <= ALARM_PERIOD + late)
			right++;
		else
			wrong = slept;
	}
	if (right < ENOUGH)
		selftest_fail(run, "waits of %u us take up to %lu us, try deadline=off",
			ALARM_PERIOD, wrong);
}

struct moment {
	uint64_t before, after; // of the TSC
	uint32_t timer;
};

static struct moment moment_read(seL4_CPtr ports, uint16_t port) {
	struct moment moment;

	moment.before = tsc_read_ordered();
	moment.timer = seL4_X86_IOPort_In32(ports, port).result & PM_MASK;
	moment.after = tsc_read_ordered();
	return moment;
}

// Whether some rate of the TSC near the kernel's fits what was read.
static bool is_near(uint64_t timer_ticks, uint64_t least, uint64_t most) {
	uint64_t expected = timer_ticks * alarm_hertz() / PM_HZ;

	return most >= expected - expected / PART && least <= expected + expected / PART;
}

static void check_rate(struct selftest *run, seL4_CPtr ports, uint16_t port) {
	uint64_t ticks = alarm_ticks(), least = 0, timer = 1;

	for (unsigned i = 0; i < TRIES; i++) {
		struct moment start = moment_read(ports, port), end;

		while (tsc_read_ordered() - start.after < SPAN * ticks)
			;
		end = moment_read(ports, port);
		timer = (end.timer - start.timer) & PM_MASK;
		least = end.before - start.after;
		if (is_near(timer, least, end.after - start.before)) return;
	}
	if (timer == 0)
		selftest_fail(run, "the ACPI timer at port 0x%x does not count", port);
	else
		selftest_fail(run,
			"the TSC counts %lu kHz by the ACPI timer, the kernel takes it for %lu, "
			"try tsc=%lu",
			least * (PM_HZ / 1000) / timer, alarm_hertz() / 1000,
			least * (PM_HZ / 1000) / timer);
}

void selftest_timer(struct selftest *run) {
	const struct acpi_fadt *fadt = firmware_table_find(
		run->bootinfo, "FACP", offsetof(struct acpi_fadt, legacy_2));
	seL4_CPtr ports = slots_allocate(1);

	check_wakeup(run);
	if (run->failures > 0) return;
	if (fadt && fadt->timer_port && ports &&
		!seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, fadt->timer_port,
			fadt->timer_port + sizeof(uint32_t) - 1, seL4_CapInitThreadCNode, ports,
			seL4_WordBits))
		check_rate(run, ports, (uint16_t)fadt->timer_port);
	else
		selftest_skip(run,
			"a thread is woken in time, but there is no ACPI timer to "
			"compare the TSC with");
}
