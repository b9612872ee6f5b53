// SPDX-License-Identifier: BSD-2-Clause
// The replies of a small host. Malformed frames are dropped.
#include <services/echo/answer.h>

#include <base/memory.h>

enum {
	LIFETIME = 64,
};

static const struct echo_answer nothing;

static void turn_ethernet(const struct echo_host *host, uint8_t *frame) {
	memcpy(frame + ETHERNET_TARGET, frame + ETHERNET_SOURCE, ETHERNET_ADDRESS);
	memcpy(frame + ETHERNET_SOURCE, host->mac, ETHERNET_ADDRESS);
}

static struct echo_answer answer_arp(const struct echo_host *host, uint8_t *frame, size_t length) {
	uint8_t *arp = frame + ETHERNET_HEADER;
	uint32_t sender;

	if (length < ETHERNET_HEADER + ARP_SIZE || big32(arp + ARP_FORMAT) != ARP_FORMAT_VALUE ||
		big16(arp + ARP_SIZES) != ARP_SIZES_VALUE ||
		big16(arp + ARP_OPERATION) != ARP_REQUEST || big32(arp + ARP_TARGET_IP) != host->ip)
		return nothing;
	sender = big32(arp + ARP_SENDER_IP);
	big16_set(arp + ARP_OPERATION, ARP_REPLY);
	memcpy(arp + ARP_TARGET_MAC, arp + ARP_SENDER_MAC, ETHERNET_ADDRESS);
	big32_set(arp + ARP_TARGET_IP, sender);
	memcpy(arp + ARP_SENDER_MAC, host->mac, ETHERNET_ADDRESS);
	big32_set(arp + ARP_SENDER_IP, host->ip);
	turn_ethernet(host, frame);
	return (struct echo_answer){ECHO_ARP, ETHERNET_HEADER + ARP_SIZE, sender};
}

// Checksums are recomputed: the request's cover the same words in another order, which sum up to
// the same, but lifetime and kind differ.
static bool turn_icmp(uint8_t *icmp, size_t length) {
	if (length < ICMP_HEADER || icmp[ICMP_KIND] != ICMP_ECHO_REQUEST || icmp[ICMP_CODE] != 0 ||
		checksum_end(checksum_add(0, icmp, length)) != 0)
		return false;
	icmp[ICMP_KIND] = ICMP_ECHO_REPLY;
	big16_set(icmp + ICMP_CHECKSUM, 0);
	big16_set(icmp + ICMP_CHECKSUM, checksum_end(checksum_add(0, icmp, length)));
	return true;
}

// A checksum of 0 means that there is none. Another echo server gets no answer: the two would never
// stop.
static bool turn_udp(const uint8_t *ip, uint8_t *udp, size_t length) {
	uint16_t source = big16(udp + UDP_SOURCE);
	uint16_t sum;

	if (length < UDP_HEADER || big16(udp + UDP_LENGTH) != length ||
		big16(udp + UDP_TARGET) != UDP_PORT_ECHO || source == UDP_PORT_ECHO)
		return false;
	if (big16(udp + UDP_CHECKSUM) != 0 &&
		checksum_end(checksum_add(udp_pseudo_sum(ip, length), udp, length)) != 0)
		return false;
	big16_set(udp + UDP_SOURCE, UDP_PORT_ECHO);
	big16_set(udp + UDP_TARGET, source);
	big16_set(udp + UDP_CHECKSUM, 0);
	sum = checksum_end(checksum_add(udp_pseudo_sum(ip, length), udp, length));
	big16_set(udp + UDP_CHECKSUM, sum == 0 ? 0xffff : sum);
	return true;
}

static enum echo_answered turn_payload(uint8_t *ip, size_t length) {
	if (ip[IPV4_PROTOCOL] == PROTOCOL_ICMP && turn_icmp(ip + IPV4_HEADER, length - IPV4_HEADER))
		return ECHO_PING;
	if (ip[IPV4_PROTOCOL] == PROTOCOL_UDP &&
		turn_udp(ip, ip + IPV4_HEADER, length - IPV4_HEADER))
		return ECHO_UDP;
	return ECHO_NOTHING;
}

// Whether a reply to the address would reach one host only.
static bool is_one_host(uint32_t address) { return address != 0 && address < 0xe0000000u; }

static struct echo_answer answer_ipv4(const struct echo_host *host, uint8_t *frame, size_t length) {
	uint8_t *ip = frame + ETHERNET_HEADER;
	size_t ip_length = ipv4_check(ip, length - ETHERNET_HEADER);
	enum echo_answered kind;
	uint32_t source;

	if (ip_length == 0 || memcmp(frame + ETHERNET_TARGET, host->mac, ETHERNET_ADDRESS) != 0 ||
		big32(ip + IPV4_TARGET) != host->ip || !is_one_host(big32(ip + IPV4_SOURCE)))
		return nothing;
	kind = turn_payload(ip, ip_length);
	if (kind == ECHO_NOTHING) return nothing;
	source = big32(ip + IPV4_SOURCE);
	big32_set(ip + IPV4_TARGET, source);
	big32_set(ip + IPV4_SOURCE, host->ip);
	ip[IPV4_LIFETIME] = LIFETIME;
	big16_set(ip + IPV4_CHECKSUM, 0);
	big16_set(ip + IPV4_CHECKSUM, checksum_end(checksum_add(0, ip, IPV4_HEADER)));
	turn_ethernet(host, frame);
	return (struct echo_answer){kind, ETHERNET_HEADER + ip_length, source};
}

struct echo_answer echo_answer(const struct echo_host *host, uint8_t *frame, size_t length) {
	if (length < ETHERNET_HEADER) return nothing;
	switch (big16(frame + ETHERNET_KIND)) {
	case KIND_ARP: return answer_arp(host, frame, length);
	case KIND_IPV4: return answer_ipv4(host, frame, length);
	default: return nothing;
	}
}
