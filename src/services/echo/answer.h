// SPDX-License-Identifier: BSD-2-Clause
// The replies of a small host: ARP for its address, ping, and UDP echo (RFC 862). Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <nacre/net/ipv4.h>

struct echo_host {
	uint8_t mac[ETHERNET_ADDRESS];
	uint32_t ip;
};

enum echo_answered {
	ECHO_NOTHING,
	ECHO_ARP,
	ECHO_PING,
	ECHO_UDP,
	ECHO_KINDS,
};

struct echo_answer {
	enum echo_answered kind;
	size_t length; // of the frame that is to be sent
	uint32_t to;
};

// Turn a received frame into its reply in place. The frame is in private memory.
struct echo_answer echo_answer(const struct echo_host *host, uint8_t *frame, size_t length);
