// SPDX-License-Identifier: BSD-2-Clause
// Forwarding decisions.
#include <services/vswitch/table.h>

enum {
	PORT_WORDS_OPEN = 3,
	PORT_WORDS_STATION = 4,
};

#define MAC_GROUP_BIT (1ul << 40)

static mac_address address_of(const uint8_t bytes[MAC_BYTES]) {
	uint32_t high;
	uint16_t low;

	__builtin_memcpy(&high, bytes, sizeof(high));
	__builtin_memcpy(&low, bytes + sizeof(high), sizeof(low));
	return (mac_address)__builtin_bswap32(high) << 16 | __builtin_bswap16(low);
}

static bool is_group(mac_address address) { return address & MAC_GROUP_BIT; }

// The station that states this address, 0 if there is none.
static unsigned station_of(const struct switch_table *table, mac_address address) {
	for (uint32_t ports = table->stations; ports != 0; ports &= ports - 1) {
		unsigned port = (unsigned)__builtin_ctz(ports);

		if (table->ports[port].address == address) return port;
	}
	return 0;
}

static bool read_port(struct switch_table *table, const struct setting *setting) {
	const struct word *words = setting->words;
	uint8_t mac[MAC_BYTES];
	uint64_t port;

	if (setting->count < PORT_WORDS_OPEN || !word_is(words[0], "port") ||
		!word_number(words[1], 10, &port) || port == 0 || port >= SWITCH_PORTS ||
		table->ports[port].kind != PORT_ABSENT)
		return false;
	if (word_is(words[2], "open") && setting->count == PORT_WORDS_OPEN) {
		table->ports[port].kind = PORT_OPEN;
		table->open |= 1u << port;
		return true;
	}
	if (!word_is(words[2], "mac") || setting->count != PORT_WORDS_STATION ||
		!word_mac(words[3], mac) || address_of(mac) == 0 || is_group(address_of(mac)) ||
		station_of(table, address_of(mac)) != 0)
		return false;
	table->ports[port] = (struct switch_port){PORT_STATION, address_of(mac)};
	table->stations |= 1u << port;
	return true;
}

unsigned switch_read(struct switch_table *table, struct settings *settings) {
	struct setting setting;

	while (settings_next(settings, &setting)) {
		if (!read_port(table, &setting)) return setting.line;
	}
	return 0;
}

void switch_remove(struct switch_table *table, unsigned port) {
	table->ports[port].kind = PORT_ABSENT;
	table->stations &= ~(1u << port);
	table->open &= ~(1u << port);
}

// One place for each hash, so that a flood of addresses costs no more than relearning.
static unsigned place_of(mac_address address) {
	return (unsigned)((address * 0x9e3779b97f4a7c15ul) >> 56) % SWITCH_LEARNED;
}

static void learn(struct switch_table *table, unsigned port, mac_address address) {
	unsigned place = place_of(address);

	table->learned[place].address = address;
	table->learned[place].port = port;
}

static bool may_send(const struct switch_table *table, unsigned port, mac_address source) {
	switch (table->ports[port].kind) {
	case PORT_STATION: return source == table->ports[port].address;
	case PORT_OPEN: return source != 0 && !is_group(source) && station_of(table, source) == 0;
	case PORT_ABSENT: break;
	}
	return false;
}

// An unknown address can only be behind an open port: stations receive no frames of others.
static uint32_t targets_of(const struct switch_table *table, mac_address target) {
	unsigned place = place_of(target);
	unsigned station;

	if (is_group(target)) return table->open | table->stations;
	station = station_of(table, target);
	if (station != 0) return 1u << station;
	if (table->learned[place].address == target && target != 0)
		return 1u << table->learned[place].port;
	return table->open;
}

bool switch_route(struct switch_table *table, unsigned port, const uint8_t header[SWITCH_HEADER],
	uint32_t *targets) {
	mac_address source = address_of(header + MAC_BYTES);

	if (!may_send(table, port, source)) return false;
	if (table->ports[port].kind == PORT_OPEN) learn(table, port, source);
	// Not back to the port it came from: the hosts there have it already.
	*targets = targets_of(table, address_of(header)) & ~(1u << port);
	return true;
}
