// SPDX-License-Identifier: BSD-2-Clause
// Probes hosts on the network one after the other: ARP, then pings and UDP echoes of several sizes.
// Settings: `ip ADDRESS`, then `peer ADDRESS` for each host.
#include <microkit.h>

#include <base/compiler.h>
#include <base/memory.h>

#include <nacre/net/ipv4.h>
#include <services/pinger/ask.h>
#include <nacre/print.h>
#include <nacre/settings.h>
#include <nacre/net/station.h>

enum {
	CHANNEL_SWITCH = 1,
	PEERS = 8,
};

// Patched by the composer.
uint64_t settings_vaddr __attribute__((section(".data")));
uint64_t settings_size __attribute__((section(".data")));
uint64_t link_vaddr __attribute__((section(".data")));

// The requests to one host, in order; the largest is as long as a frame may be.
static const struct {
	size_t (*ask)(const struct ask *ask, uint8_t *frame);
	bool (*is_answered)(struct ask *ask, const uint8_t *frame, size_t length);
	size_t payload;
} questions[] = {
	{ask_arp, ask_arp_answered, 0},
	{ask_ping, ask_ping_answered, 56},
	{ask_ping, ask_ping_answered, 0},
	{ask_ping, ask_ping_answered, NET_FRAME_MAX - 42},
	{ask_udp, ask_udp_answered, 12},
	{ask_udp, ask_udp_answered, 333},
	{ask_udp, ask_udp_answered, NET_FRAME_MAX - 42},
};

// State of the host; one thread, written by the functions of this file only.
static struct station station;
static struct ask ask;
static uint32_t peers[PEERS];
static unsigned peer_count;
static unsigned peer;
static unsigned question;
static uint8_t frame[NET_FRAME_MAX];

static bool read_settings(void) {
	struct settings settings = settings_of(settings_vaddr, settings_size);
	struct setting setting;

	while (settings_next(&settings, &setting)) {
		uint32_t address;

		if (setting.count != 2 || !word_ipv4(setting.words[1], &address)) return false;
		if (word_is(setting.words[0], "ip"))
			ask.own.ip = address;
		else if (word_is(setting.words[0], "peer") && peer_count < PEERS)
			peers[peer_count++] = address;
		else
			return false;
	}
	return ask.own.ip != 0 && peer_count > 0;
}

static bool is_done(void) { return peer == peer_count; }

static void send_question(void) {
	ask.peer.ip = peers[peer];
	ask.payload = questions[question].payload;
	ask.number++;
	(void)station_send(&station, frame, (uint32_t)questions[question].ask(&ask, frame));
}

// A frame with a forged source address, which the switch must not pass on.
static void send_forged(void) {
	uint32_t length = (uint32_t)ask_arp(&ask, frame);

	frame[ETHERNET_SOURCE + ETHERNET_ADDRESS - 1] ^= 1;
	(void)station_send(&station, frame, length);
	station_flush(&station);
}

static void finish(void) {
	microkit_msginfo answer;

	send_forged();
	answer = microkit_ppcall(CHANNEL_SWITCH, microkit_msginfo_new(NET_COUNTS, 0));
	if (microkit_msginfo_get_label(answer) == NET_OK)
		print("%s: the switch took %lu frames, refused %lu of them, gave %lu, "
		      "dropped %lu\n",
			microkit_name, microkit_mr_get(0), microkit_mr_get(3), microkit_mr_get(1),
			microkit_mr_get(2));
	print("%s: all answered\n", microkit_name);
}

// The request was answered: continue with the next one.
static void advance(void) {
	question = (question + 1) % array_count(questions);
	if (question == 0) {
		print("%s: " IP_FORMAT " answered ARP, ping and UDP echo\n", microkit_name,
			IP_BYTES(peers[peer]));
		peer++;
	}
	if (is_done())
		finish();
	else
		send_question();
}

static void take_frames(void) {
	uint32_t length;

	while ((length = station_receive(&station, frame)) > 0) {
		if (!is_done() && questions[question].is_answered(&ask, frame, length)) advance();
	}
	station_flush(&station);
}

void init(void) {
	if (!read_settings()) {
		print("%s: settings must be `ip ADDRESS` and `peer ADDRESS`\n", microkit_name);
		peer = peer_count;
		return;
	}
	if (!station_open(&station, CHANNEL_SWITCH, link_vaddr)) {
		print("%s: the switch states no address for this port\n", microkit_name);
		peer = peer_count;
		return;
	}
	memcpy(ask.own.mac, station.mac, sizeof(ask.own.mac));
	send_question();
	station_flush(&station);
}

void notified(microkit_channel) {
	if (!station.end.in.buffers) return;
	do
		take_frames();
	while (!station_may_sleep(&station));
}
