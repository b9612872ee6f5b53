// SPDX-License-Identifier: BSD-2-Clause
// Requests to a host and the replies expected: ARP, ping, UDP echo. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <nacre/net/ipv4.h>

struct ask_host {
	uint8_t mac[ETHERNET_ADDRESS];
	uint32_t ip;
};

// The two ends of a conversation; the peer's address is known once it has answered ARP.
struct ask {
	struct ask_host own;
	struct ask_host peer;
	uint16_t number; // of the request
	size_t payload; // bytes of a ping or datagram
};

// Each writes a frame and returns its length.
size_t ask_arp(const struct ask *ask, uint8_t *frame);
size_t ask_ping(const struct ask *ask, uint8_t *frame);
size_t ask_udp(const struct ask *ask, uint8_t *frame);

// Whether the frame is the peer's reply to the request. The reply to ARP gives the peer's address.
[[nodiscard]] bool ask_arp_answered(struct ask *ask, const uint8_t *frame, size_t length);
[[nodiscard]] bool ask_ping_answered(struct ask *ask, const uint8_t *frame, size_t length);
[[nodiscard]] bool ask_udp_answered(struct ask *ask, const uint8_t *frame, size_t length);
