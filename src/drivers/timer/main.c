// SPDX-License-Identifier: BSD-2-Clause
// The timer driver: one time-out a client, timed by the first device that this machine has, and the
// wall clock.
#include <microkit.h>

#include <base/compiler.h>

#include <nacre/print.h>
#include <drivers/timer/hpet.h>
#include <drivers/timer/pit.h>
#include <drivers/timer/queue.h>
#include <drivers/timer/rtc.h>
#include <drivers/timer/ticks.h>
#include <nacre/protocol/timer.h>
#include <nacre/tsc.h>

enum {
	CHANNEL_IRQ = 1,
	PATIENCE_RATE = 1000, // of a second
	HERTZ_PER_MEGAHERTZ = 1000000,
};

// Patched by the composer.
uint64_t hpet_vaddr __attribute__((section(".data")));
uint64_t tsc_info_vaddr __attribute__((section(".data")));

// State of the driver; one thread, written by the functions of this file only.
static struct timer_queue queue;
static const struct timer_device *device; // null where there is none
static uint64_t armed; // the deadline that the device is programmed for; 0 when it has interrupted
static uint64_t hertz; // of the TSC; 0 when the kernel does not know
static uint64_t wall_seconds; // at TSC value wall_tsc
static uint64_t wall_tsc;

static bool start_hpet(void) { return hpet_vaddr != 0 && hpet_init(hpet_vaddr); }

static bool start_pit(void) { return pit_init(hertz / PATIENCE_RATE); }

// The better one first.
static const struct timer_device {
	const char *name;
	bool (*start)(void);
	void (*arm)(uint64_t nanoseconds); // may interrupt early or unasked, never much late
} devices[] = {
	{"HPET", start_hpet, hpet_arm},
	{"PIT", start_pit, pit_arm},
};

static const struct timer_device *device_find(void) {
	if (hertz == 0) {
		print("timer: the kernel reports no TSC rate; time-outs are refused\n");
		return NULL;
	}
	for (unsigned i = 0; i < array_count(devices); i++) {
		if (!devices[i].start()) continue;
		if (i > 0)
			print("timer: no usable %s; using the %s\n", devices[0].name,
				devices[i].name);
		return &devices[i];
	}
	print("timer: no usable HPET or PIT; time-outs are refused\n");
	return NULL;
}

static void deliver_expired(uint64_t now) {
	for (uint64_t rest = timer_queue_expire(&queue, now); rest != 0; rest &= rest - 1)
		microkit_notify((microkit_channel)__builtin_ctzl(rest));
}

// Notify the clients whose time has come and program the device for the next one, unless it is.
// Without a next one it interrupts in vain.
static void update(void) {
	uint64_t now = tsc_read();
	uint64_t deadline;

	deliver_expired(now);
	if (!timer_queue_next(&queue, &deadline) || deadline == armed) return;
	armed = deadline;
	device->arm(ticks_to_nanoseconds(deadline - now, hertz));
}

void init(void) {
	wall_seconds = rtc_read();
	wall_tsc = tsc_read();
	hertz = tsc_hertz(tsc_info_vaddr);
	device = device_find();
}

void notified(microkit_channel channel) {
	if (channel != CHANNEL_IRQ) return;
	// The pin is masked until the acknowledgement and loses edges meanwhile: unmask first.
	microkit_irq_ack(CHANNEL_IRQ);
	// It may be early by TSC time; then it is programmed for the rest.
	armed = 0;
	if (device) update();
}

static enum timer_status set_deadline(microkit_channel client, uint64_t deadline) {
	if (!device) return TIMER_NO_DEVICE;
	timer_queue_set(&queue, client, deadline);
	update();
	return TIMER_OK;
}

static microkit_msginfo answer_set(microkit_channel client) {
	return microkit_msginfo_new(set_deadline(client, microkit_mr_get(0)), 0);
}

static microkit_msginfo answer_set_after(microkit_channel client) {
	uint64_t deadline = ticks_after(tsc_read(), microkit_mr_get(0), hertz);

	return microkit_msginfo_new(set_deadline(client, deadline), 0);
}

static microkit_msginfo answer_cancel(microkit_channel client) {
	timer_queue_cancel(&queue, client);
	return microkit_msginfo_new(TIMER_OK, 0);
}

static microkit_msginfo answer_wall_clock(microkit_channel) {
	microkit_mr_set(0, wall_seconds);
	microkit_mr_set(1, wall_tsc);
	return microkit_msginfo_new(TIMER_OK, 2);
}

static microkit_msginfo answer_now(microkit_channel) {
	if (hertz == 0) return microkit_msginfo_new(TIMER_NO_DEVICE, 0);
	microkit_mr_set(0, tsc_read());
	microkit_mr_set(1, (hertz + HERTZ_PER_MEGAHERTZ / 2) / HERTZ_PER_MEGAHERTZ);
	microkit_mr_set(2, hertz);
	return microkit_msginfo_new(TIMER_OK, 3);
}

static const struct request_row {
	seL4_Word label;
	seL4_Word words; // at least these many
	microkit_msginfo (*answer)(microkit_channel client);
} requests[] = {
	{TIMER_SET, 1, answer_set},
	{TIMER_CANCEL, 0, answer_cancel},
	{TIMER_WALL_CLOCK, 0, answer_wall_clock},
	{TIMER_SET_AFTER, 1, answer_set_after},
	{TIMER_NOW, 0, answer_now},
};

microkit_msginfo protected(microkit_channel client, microkit_msginfo request) {
	seL4_Word label = microkit_msginfo_get_label(request);
	seL4_Word count = microkit_msginfo_get_count(request);

	for (unsigned i = 0; i < array_count(requests); i++) {
		if (requests[i].label == label && count >= requests[i].words)
			return requests[i].answer(client);
	}
	return microkit_msginfo_new(TIMER_BAD_REQUEST, 0);
}
