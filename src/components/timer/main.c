// SPDX-License-Identifier: BSD-2-Clause
// The timer driver: one time-out a client, kept by the HPET, and the wall clock.
#include <microkit.h>

#include <components/print.h>
#include <components/timer/hpet.h>
#include <components/timer/queue.h>
#include <components/timer/rtc.h>
#include <components/timer_protocol.h>
#include <components/tsc.h>

enum {
	CHANNEL_IRQ = 1,
	NANOSECONDS_PER_MICROSECOND = 1000,
};

// Patched by the composer.
uint64_t hpet_vaddr __attribute__((section(".data")));
uint64_t tsc_info_vaddr __attribute__((section(".data")));

// State of the driver; one thread, written by the functions of this file only.
static struct timer_queue queue;
static bool device_works;
static uint64_t ticks_per_microsecond;
static uint64_t wall_seconds; // at TSC value wall_tsc
static uint64_t wall_tsc;

static void deliver_expired(uint64_t now) {
	for (uint64_t rest = timer_queue_expire(&queue, now); rest != 0; rest &= rest - 1)
		microkit_notify((microkit_channel)__builtin_ctzl(rest));
}

// Tell those whose time has come and arm the device for the next. The HPET may fire a little early
// by TSC time; then it is armed for the rest.
static void update(void) {
	uint64_t now = tsc_read();
	uint64_t deadline;
	uint64_t microseconds;

	deliver_expired(now);
	if (!timer_queue_next(&queue, &deadline)) {
		hpet_disarm();
		return;
	}
	microseconds = (deadline - now) / ticks_per_microsecond;
	if (microseconds > UINT64_MAX / NANOSECONDS_PER_MICROSECOND)
		microseconds = UINT64_MAX / NANOSECONDS_PER_MICROSECOND;
	hpet_arm(microseconds * NANOSECONDS_PER_MICROSECOND +
		(deadline - now) % ticks_per_microsecond * NANOSECONDS_PER_MICROSECOND /
			ticks_per_microsecond);
}

void init(void) {
	wall_seconds = rtc_read();
	wall_tsc = tsc_read();
	ticks_per_microsecond = tsc_ticks_per_microsecond(tsc_info_vaddr);
	device_works = ticks_per_microsecond > 0 && hpet_init(hpet_vaddr);
	if (!device_works)
		print("timer: no usable HPET or TSC rate on this machine; time-outs are refused\n");
}

void notified(microkit_channel channel) {
	if (channel != CHANNEL_IRQ) return;
	// The pin is masked until the acknowledgement and forgets edges meanwhile: unmask first.
	microkit_irq_ack(CHANNEL_IRQ);
	if (device_works) update();
}

static enum timer_status set_timeout(microkit_channel client, bool has_deadline) {
	if (!has_deadline) return TIMER_BAD_REQUEST;
	if (!device_works) return TIMER_NO_DEVICE;
	timer_queue_set(&queue, client, microkit_mr_get(0));
	update();
	return TIMER_OK;
}

microkit_msginfo protected(microkit_channel client, microkit_msginfo request) {
	seL4_Word count = microkit_msginfo_get_count(request);

	switch (microkit_msginfo_get_label(request)) {
	case TIMER_SET: return microkit_msginfo_new(set_timeout(client, count >= 1), 0);
	case TIMER_CANCEL:
		timer_queue_cancel(&queue, client);
		return microkit_msginfo_new(TIMER_OK, 0);
	case TIMER_WALL_CLOCK:
		microkit_mr_set(0, wall_seconds);
		microkit_mr_set(1, wall_tsc);
		return microkit_msginfo_new(TIMER_OK, 2);
	default: return microkit_msginfo_new(TIMER_BAD_REQUEST, 0);
	}
}
