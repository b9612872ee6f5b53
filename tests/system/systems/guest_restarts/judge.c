// SPDX-License-Identifier: BSD-2-Clause
// Restarts one guest a moment after each of its starts, as often as its settings say, and watches
// that no frame of the other is lost meanwhile.
#include <microkit.h>

#include <nacre/guest.h>
#include <nacre/net/ipv4.h>
#include <nacre/net/station.h>
#include <nacre/print.h>
#include <nacre/protocol/timer.h>

enum {
	TIMER = 1,
	SWITCH = 8,
	CANARY = 20,
	KIND = 0x88b5,
	NUMBER = 16, // of a frame: where its number is
	STEADY = 1, // ports of the switch, and last bytes of addresses
	VICTIM = 2,
	SHORT_LIFE = 3000, // microseconds, at most: requests are still on their way
	LONG_LIFE = 50000, // in which there are answers
	SECTORS = 32, // of a request
};

// Patched by the composer.
uint64_t guest_vaddr __attribute__((section(".data")));
uint64_t link_vaddr __attribute__((section(".data")));
uint64_t settings_vaddr __attribute__((section(".data")));
uint64_t settings_size __attribute__((section(".data")));

// Written by the entry points only.
static struct guest guest;
static struct station station;
static uint64_t expected, lost, lives, served, wanted, commands;
static bool reset_due, finished;

static uint64_t settings_number(void) {
	const char *text = (const char *)settings_vaddr;
	uint64_t number = 0;

	for (uint64_t i = 0; i < settings_size && text[i] >= '0' && text[i] <= '9'; i++)
		number = number * 10 + (uint64_t)(text[i] - '0');
	return number;
}

static void report(void) {
	print("%lu restarts, %lu of them by command, %lu sectors read: %lu frames, %lu lost\n",
		(uint64_t)guest_status(&guest).restarts, commands, served * SECTORS, expected,
		lost);
}

static void end(void) {
	finished = true;
	report();
	microkit_notify(CANARY);
}

// Another time in each life, the same ones in each run.
static void set_time_out(void) {
	microkit_mr_set(0, lives % 2 ? 100 + lives * 7919 % SHORT_LIFE : LONG_LIFE);
	if (microkit_msginfo_get_label(
		    microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1))) != TIMER_OK)
		print("the timer refused\n");
}

static void victim_lives(void) {
	if (lives++ == 0) microkit_notify(CANARY);
	if (lives % 100 == 0) report();
	if (guest_status(&guest).restarts >= wanted && !finished) end();
	if (!finished) set_time_out();
}

static void steady_sends(uint64_t number) {
	if (number != expected) {
		lost += number - expected;
		print("frame %lu comes after %lu\n", number, expected - 1);
	}
	expected = number + 1;
}

static void take(const struct net_frame *frame) {
	uint64_t number;
	uint8_t from = frame->bytes[ETHERNET_SOURCE + ETHERNET_ADDRESS - 1];

	if (frame->length < NUMBER + sizeof(number) || big16(frame->bytes + ETHERNET_KIND) != KIND)
		return;
	__builtin_memcpy(&number, frame->bytes + NUMBER, sizeof(number));
	if (from == STEADY) steady_sends(number);
	if (from == VICTIM && number == 0) victim_lives();
	if (from == VICTIM && number > 0) served++;
}

static void take_all(void) {
	struct net_frame frame;

	do {
		while (net_receive(&station.end.in, &frame)) {
			take(&frame);
			net_return(&station.end.in, frame.buffer);
		}
		station_flush(&station);
	} while (!station_may_sleep(&station));
}

void init(void) {
	wanted = settings_number();
	if (!guest_open(&guest, guest_vaddr, GUEST_CHANNEL) ||
		!station_open(&station, SWITCH, link_vaddr))
		print("something is missing\n");
	take_all();
}

void notified(microkit_channel channel) {
	struct guest_status status = guest_status(&guest);

	if (channel == TIMER && !finished) reset_due = true;
	if (status.state == GUEST_CRASHED) print("the victim has crashed\n");
	if (reset_due && guest_reset(&guest)) {
		reset_due = false;
		commands++;
	}
	take_all();
}
