// SPDX-License-Identifier: BSD-2-Clause
// A host on the network that answers ping and UDP echo. Its settings: `ip ADDRESS`.
#include <microkit.h>

#include <base/memory.h>

#include <services/echo/answer.h>
#include <nacre/net/ipv4.h>
#include <nacre/print.h>
#include <nacre/settings.h>
#include <nacre/net/station.h>

enum {
	CHANNEL_SWITCH = 1,
};

// Patched by the composer.
uint64_t settings_vaddr __attribute__((section(".data")));
uint64_t settings_size __attribute__((section(".data")));
uint64_t link_vaddr __attribute__((section(".data")));

static const char *const kinds[ECHO_KINDS] = {
	[ECHO_ARP] = "ARP", [ECHO_PING] = "ping", [ECHO_UDP] = "UDP echo"};

// State of the host; one thread, written by the functions of this file only.
static struct station station;
static struct echo_host host;
static bool is_open;
static bool reported[ECHO_KINDS];

static bool read_settings(void) {
	struct settings settings = settings_of(settings_vaddr, settings_size);
	struct setting setting;

	return settings_next(&settings, &setting) && setting.count == 2 &&
		word_is(setting.words[0], "ip") && word_ipv4(setting.words[1], &host.ip);
}

// The first of each kind is reported.
static void report(const struct echo_answer *answer) {
	if (reported[answer->kind]) return;
	reported[answer->kind] = true;
	print("%s: " IP_FORMAT " answered %s of " IP_FORMAT "\n", microkit_name, IP_BYTES(host.ip),
		kinds[answer->kind], IP_BYTES(answer->to));
}

static void answer_all(void) {
	static uint8_t frame[NET_FRAME_MAX];
	uint32_t length;

	while ((length = station_receive(&station, frame)) > 0) {
		struct echo_answer answer = echo_answer(&host, frame, length);

		if (answer.kind != ECHO_NOTHING &&
			station_send(&station, frame, (uint32_t)answer.length))
			report(&answer);
	}
	station_flush(&station);
}

static void serve(void) {
	if (!is_open) return;
	do
		answer_all();
	while (!station_may_sleep(&station));
}

void init(void) {
	if (!read_settings()) {
		print("%s: settings must be `ip ADDRESS`\n", microkit_name);
		return;
	}
	if (!station_open(&station, CHANNEL_SWITCH, link_vaddr)) {
		print("%s: the switch states no address for this port\n", microkit_name);
		return;
	}
	memcpy(host.mac, station.mac, sizeof(host.mac));
	is_open = true;
	print("%s: " IP_FORMAT " is ready\n", microkit_name, IP_BYTES(host.ip));
	serve();
}

void notified(microkit_channel) { serve(); }
