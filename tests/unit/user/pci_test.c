// SPDX-License-Identifier: BSD-2-Clause
// The PCI component against a machine of arrays: scan, grants, places and registers.
#include "pci_machine.h"
#include "test.h"

#include <lib/pci/grants.h>
#include <lib/pci/group.h>
#include <lib/pci/passed.h>
#include <services/pci/place.h>
#include <lib/pci/registers.h>
#include <lib/pci/reset.h>
#include <stdlib.h>
#include <string.h>

static void scan(void) {
	struct function before[FUNCTIONS];
	const struct pci_device *card;

	set_up();
	check(devices.count == 5 && devices.missed == 0 && wrong_accesses == 0);
	card = &devices.rows[index_of(CARD)];
	check(card->vendor == 0x8086 && card->device == 0x100e && card->class == 0x020000 &&
		card->interrupt_line == 11 && card->interrupt_pin == 1 && card->bridge == PCI_ROOT);
	check(base_of(CARD, 0)->address == 0xfebc0000 && base_of(CARD, 0)->size == 1 << 17);
	check(base_of(CARD, 1)->address == 0xc040 && base_of(CARD, 1)->size == 0x40 &&
		base_of(CARD, 1)->flags == PCI_BAR_PORTS);
	check(base_of(CARD, 2)->size == 0);
	check(base_of(VGA, 0)->flags == PCI_BAR_PREFETCHABLE);
	check(base_of(BEHIND, 0)->address == 0xe0000000 && base_of(BEHIND, 0)->size == 1 << 13 &&
		base_of(BEHIND, 0)->flags == (PCI_BAR_64_BIT | PCI_BAR_PREFETCHABLE));
	check(base_of(BEHIND, 1)->size == 0 && base_of(BEHIND, 5)->size == 1 << 12);
	check(devices.rows[index_of(BEHIND)].bridge == index_of(BRIDGE));
	// Nothing is different afterwards, and no device decoded while it was sized.
	memcpy(before, functions, sizeof(before));
	pci_scan(&config, &devices);
	check(memcmp(before, functions, sizeof(before)) == 0);
	for (unsigned i = 0; i < function_count; i++)
		check(!functions[i].sized_while_decoding);
}

static void scan_loop(void) {
	set_up();
	find(BRIDGE)->bytes[PCI_REGISTER_SECONDARY_BUS] = 0;
	pci_scan(&config, &devices);
	check(devices.count == 4);
	// A bridge on bus 1 that leads to bus 1.
	find(BRIDGE)->bytes[PCI_REGISTER_SECONDARY_BUS] = 1;
	find(BEHIND)->bytes[PCI_REGISTER_HEADER] = PCI_HEADER_BRIDGE;
	find(BEHIND)->bytes[PCI_REGISTER_SECONDARY_BUS] = 1;
	pci_scan(&config, &devices);
	check(devices.count == 5);
}

static unsigned read_grants(struct pci_grants *grants, const char *text) {
	struct settings settings = {.text = text, .size = strlen(text)};
	unsigned wrong = pci_grants_read(grants, &settings);

	pci_grants_assign(grants, &devices);
	return wrong;
}

static void grants(void) {
	struct pci_grants grants;

	set_up();
	check(read_grants(&grants,
		      "grant 1 id=8086:100e bar0=0xd0000000\n# none of these is there\n"
		      "grant 1 id=8086:100e\ngrant 2 class=0106 at=01:00.0 msi=12 messages=3\n"
		      "grant 3 class=0106\ngrant 3 class=0604\n") == 0);
	check(grants.count == 5);
	check(pci_grant_of(&grants, 1, 0)->index == index_of(CARD));
	check(pci_grant_of(&grants, 1, 0)->places[0] == 0xd0000000);
	check(pci_grant_of(&grants, 1, 0)->msi == PCI_NO_MSI);
	// One device, one owner; a bridge, none.
	check(pci_grant_of(&grants, 1, 1)->index == PCI_NO_DEVICE);
	check(pci_grant_of(&grants, 2, 0)->index == index_of(BEHIND));
	check(pci_grant_of(&grants, 2, 0)->msi == 12 &&
		pci_grant_of(&grants, 2, 0)->messages == 3 &&
		pci_grant_of(&grants, 1, 0)->messages == 1);
	check(pci_grant_of(&grants, 3, 0)->index == PCI_NO_DEVICE);
	check(pci_grant_of(&grants, 3, 1)->index == PCI_NO_DEVICE);
	check(!pci_grant_of(&grants, 1, 2) && !pci_grant_of(&grants, 4, 0) &&
		!pci_grant_of(&grants, 1, UINT64_MAX));
}

static void wrong_grants(void) {
	static const char *const wrong[] = {"grant", "grant 1", "give 1 id=8086:100e",
		"grant 62 id=8086:100e", "grant x id=8086:100e", "grant 1 id=8086",
		"grant 1 id=8086:1000e", "grant 1 class=01060", "grant 1 at=00:20.0",
		"grant 1 at=00:1f.8", "grant 1 at=100:1f.0", "grant 1 at=1f.0", "grant 1 msi=3",
		"grant 1 class=0200 msi=108", "grant 1 class=0200 messages=108",
		"grant 1 class=0200 bar6=0x1000", "grant 1 class=0200 bar0=0",
		"grant 1 class=0200 bar0", "grant 1 class=0200 else"};
	struct pci_grants grants;

	set_up();
	for (size_t i = 0; i < array_count(wrong); i++)
		check(read_grants(&grants, wrong[i]) == 1 && grants.count == 0);
	check(read_grants(&grants, "grant 1 class=0200\n\ngrant 2") == 3 && grants.count == 1);
	check(grants.rows[0].index == index_of(CARD));
}

static enum pci_place_status place(uint16_t address, unsigned bar, uint64_t target) {
	return pci_place_check(&config, &devices, (unsigned)index_of(address), bar, target);
}

static void places(void) {
	set_up();
	check(place(CARD, 0, 0xd0000000) == PCI_PLACE_OK);
	check(place(CARD, 0, 0xfebc0000) == PCI_PLACE_OK);
	check(place(CARD, 1, 0xd0000000) == PCI_PLACE_NO_BAR);
	check(place(CARD, 2, 0xd0000000) == PCI_PLACE_NO_BAR);
	check(place(CARD, 0, 0xd0010000) == PCI_PLACE_UNALIGNED);
	check(place(CARD, 0, 0x100000000) == PCI_PLACE_UNALIGNED);
	check(place(CARD, 0, 0xfffffffffffe0000) == PCI_PLACE_UNALIGNED);
	check(place(CARD, 0, 0xa0000) == PCI_PLACE_RESERVED);
	check(place(CARD, 0, 0xfee00000) == PCI_PLACE_RESERVED);
	check(place(CARD, 0, 0xfdfe0000) == PCI_PLACE_TAKEN);
	check(place(CARD, 0, 0xfebe0000) == PCI_PLACE_TAKEN);
	// The bridge's window is for what is behind it, all of which stays inside.
	check(place(CARD, 0, 0xe00e0000) == PCI_PLACE_TAKEN);
	check(place(BEHIND, 5, 0xe0020000) == PCI_PLACE_OK);
	check(place(BEHIND, 5, 0xe0000000) == PCI_PLACE_TAKEN);
	check(place(BEHIND, 5, 0xe0fff000) == PCI_PLACE_OK);
	check(place(BEHIND, 5, 0xe1000000) == PCI_PLACE_BRIDGE);
	check(place(BEHIND, 0, 0x800000000) == PCI_PLACE_BRIDGE);
}

static void move(void) {
	struct pci_device *card;

	set_up();
	card = &devices.rows[index_of(CARD)];
	pci_base_move(&config, card, 0, 0xd0000000);
	check(fake_read(CARD, PCI_REGISTER_BAR, 4) == 0xd0000000 &&
		fake_read(CARD, PCI_REGISTER_COMMAND, 2) == 7);
	check(card->bases[0].address == 0xd0000000 && !find(CARD)->sized_while_decoding);
	pci_base_move(&config, &devices.rows[index_of(BEHIND)], 0, 0x8e0004000);
	check((fake_read(BEHIND, PCI_REGISTER_BAR, 4) & ~0xfu) == 0xe0004000 &&
		fake_read(BEHIND, PCI_REGISTER_BAR + 4, 4) == 8);
}

static void memory_map(void) {
	uint8_t *chunk = calloc(1, 4096);
	struct pci_memory_map map = {(uint64_t)chunk};
	struct pci_memory_map none = {0};

	check(pci_memory_map_leaves(&none, 0, 1));
	check(pci_memory_map_leaves(&map, 0x100000, 4096)); // no such chunk: length 0
	put(chunk, 8, 1220, 8);
	put(chunk, 16, 2 * 24, 4);
	put(chunk, 20 + 4, 0x100000, 8);
	put(chunk, 20 + 12, 0x3ff00000, 8);
	put(chunk, 44 + 4, 0xe0000000, 8);
	put(chunk, 44 + 12, 0x1000, 8);
	check(!pci_memory_map_leaves(&map, 0x3fff0000, 0x20000));
	check(pci_memory_map_leaves(&map, 0x40000000, 0x20000));
	check(!pci_memory_map_leaves(&map, 0xe0000000, 0x1000));
	check(pci_memory_map_leaves(&map, 0xe0001000, 0x1000));
	put(chunk, 16, 0xffffffff, 4);
	check(pci_memory_map_leaves(&map, 0x40000000, 0x20000));
	free(chunk);
}

static void registers(void) {
	struct function *card;

	set_up();
	card = find(CARD);
	check(pci_may_read(&config, 0, 4) && pci_may_read(&config, 0xff, 1));
	check(!pci_may_read(&config, 0x100, 1) && !pci_may_read(&config, 2, 4) &&
		!pci_may_read(&config, 0, 3) && !pci_may_read(&config, 0, 8) &&
		!pci_may_read(&config, 0, 0) && !pci_may_read(&config, UINT64_MAX, 1));
	check(!pci_may_write(&config, CARD, PCI_REGISTER_COMMAND, 2) &&
		!pci_may_write(&config, CARD, PCI_REGISTER_COMMAND, 4) &&
		!pci_may_write(&config, CARD, PCI_REGISTER_BAR, 4) &&
		!pci_may_write(&config, CARD, PCI_REGISTER_INTERRUPT_LINE, 1));
	check(pci_may_write(&config, CARD, PCI_REGISTER_STATUS, 2) &&
		pci_may_write(&config, CARD, PCI_REGISTER_CACHE_LINE, 1) &&
		!pci_may_write(&config, CARD, PCI_REGISTER_CACHE_LINE, 4) &&
		pci_may_write(&config, CARD, 0x40, 4) && pci_may_write(&config, CARD, 0xfc, 4));
	// Power management at 0x40, MSI at 0x50, MSI-X at 0x80.
	put(card->bytes, PCI_REGISTER_STATUS, PCI_STATUS_CAPABILITIES, 2);
	card->bytes[PCI_REGISTER_CAPABILITIES] = 0x40;
	put(card->bytes, 0x40, 0x5001, 2);
	put(card->bytes, 0x50, 0x8005, 2);
	put(card->bytes, 0x80, 0x0011, 2);
	check(pci_may_write(&config, CARD, 0x44, 4) && pci_may_write(&config, CARD, 0x68, 4));
	check(!pci_may_write(&config, CARD, 0x50, 4) && !pci_may_write(&config, CARD, 0x52, 2) &&
		!pci_may_write(&config, CARD, 0x64, 4) && !pci_may_write(&config, CARD, 0x80, 4) &&
		!pci_may_write(&config, CARD, 0x88, 4) && pci_may_write(&config, CARD, 0x8c, 4));
	// A cyclic chain, and one that leads into the header.
	put(card->bytes, 0x80, 0x4012, 2);
	check(pci_capability(&config, CARD, PCI_CAPABILITY_MSIX) == 0);
	put(card->bytes, 0x80, 0x0412, 2);
	check(pci_capability(&config, CARD, PCI_CAPABILITY_MSIX) == 0 && wrong_accesses == 0);
}

static void msi(void) {
	struct function *card;

	set_up();
	card = find(CARD);
	check(!pci_msi_set(&config, CARD, 5, 0xfee00000));
	put(card->bytes, PCI_REGISTER_STATUS, PCI_STATUS_CAPABILITIES, 2);
	card->bytes[PCI_REGISTER_CAPABILITIES] = 0x50;
	put(card->bytes, 0x50, 0x00f00005, 4);
	memset(card->writable + 0x52, 0xff, 14);
	check(pci_msi_set(&config, CARD, 5, 0xfee00000));
	check(fake_read(CARD, 0x54, 4) == 0xfee00000 && fake_read(CARD, 0x58, 4) == 0 &&
		fake_read(CARD, 0x5c, 2) == 53);
	check(fake_read(CARD, 0x52, 2) == 0x81 &&
		fake_read(CARD, PCI_REGISTER_COMMAND, 2) == 0x407);
	put(card->bytes, 0x52, 0, 2);
	check(pci_msi_set(&config, CARD, 6, 0xfeefe000) && fake_read(CARD, 0x58, 2) == 54);
	check(fake_read(CARD, 0x54, 4) == 0xfeefe000);
	for (unsigned bit = 0; bit < 64; bit++)
		check(pci_is_message(0xfee00000 ^ 1ul << bit) == (bit >= 12 && bit < 20));
	check(pci_is_message(0xfee00018) && !pci_is_message(0xfeeff000));
}

static void groups(void) {
	unsigned behind, card;

	set_up();
	add(CARD + 1, 0x8086100f, 0x020000, 0);
	find(CARD)->bytes[PCI_REGISTER_HEADER] = PCI_HEADER_MANY_FUNCTIONS;
	pci_scan(&config, &devices);
	behind = (unsigned)index_of(BEHIND);
	card = (unsigned)index_of(CARD);
	check(pci_group(&devices, card) == pci_group(&devices, (unsigned)index_of(CARD + 1)));
	check(pci_group(&devices, card) != pci_group(&devices, behind));
	check(pci_group(&devices, behind) == pci_group(&devices, (unsigned)index_of(BRIDGE)));
	check(pci_requester(&config, &devices, card) == CARD);
	check(pci_requester(&config, &devices, (unsigned)index_of(CARD + 1)) == CARD + 1);
	check(pci_requester(&config, &devices, behind) == BRIDGE);
	add_capability(find(BRIDGE), PCI_CAPABILITY_EXPRESS);
	put(find(BRIDGE)->bytes, 0x52, 0x72, 2);
	check(pci_requester(&config, &devices, behind) == 0x100);
	put(find(BRIDGE)->bytes, 0x52, 0x42, 2);
	check(pci_requester(&config, &devices, behind) == BEHIND);
}

static void reset(void) {
	struct pci_kept kept;
	struct function *card;

	set_up();
	card = find(CARD);
	memset(card->writable + PCI_REGISTER_CACHE_LINE, 0xff, 0x34);
	pci_stop(&config, CARD);
	check(fake_read(CARD, PCI_REGISTER_COMMAND, 2) == 0 && !pci_reset(&config, CARD, &kept));
	add_capability(card, PCI_CAPABILITY_EXPRESS);
	put(card->writable, 0x58, 0xffff, 2);
	put(card->bytes, 0x58, 0x2810, 2);
	check(!pci_reset(&config, CARD, &kept));
	put(card->bytes, 0x54, PCI_EXPRESS_CAN_RESET, 4);
	put(card->bytes, PCI_REGISTER_STATUS, PCI_STATUS_CAPABILITIES | PCI_STATUS_INTERRUPT, 2);
	check(!pci_reset(&config, CARD, &kept) && fake_read(CARD, 0x58, 2) == 0x2810);
	pci_line_off(&config, CARD); // an interrupt that has no line
	check(pci_reset(&config, CARD, &kept));
	check(fake_read(CARD, 0x58, 2) == (0x2810 | PCI_EXPRESS_RESET));
	memset(card->bytes + PCI_REGISTER_BAR, 0, 24); // it is in reset, and once more
	check(pci_reset(&config, CARD, NULL));
	pci_reset_end(&config, CARD, &kept);
	check(fake_read(CARD, PCI_REGISTER_BAR, 4) == 0xfebc0000 &&
		fake_read(CARD, PCI_REGISTER_COMMAND, 2) == PCI_COMMAND_NO_INTX);
	put(card->bytes, 0x58, 0x2810, 2);
	put(card->bytes, PCI_REGISTER_COMMAND, 0, 2);
	put(card->bytes, PCI_REGISTER_STATUS, PCI_STATUS_CAPABILITIES, 2);
	check(pci_reset(&config, CARD, &kept));
	check(fake_read(CARD, 0x58, 2) == (0x2810 | PCI_EXPRESS_RESET));
	put(card->bytes, PCI_REGISTER_COMMAND, 0, 2);
	memset(card->bytes + PCI_REGISTER_CACHE_LINE, 0, 0x34);
	pci_reset_end(&config, CARD, &kept);
	check(fake_read(CARD, PCI_REGISTER_BAR, 4) == 0xfebc0000 &&
		fake_read(CARD, PCI_REGISTER_INTERRUPT_LINE, 1) == 11 &&
		fake_read(CARD, PCI_REGISTER_COMMAND, 2) == 0);
	put(card->bytes, 0x50, PCI_CAPABILITY_FEATURES, 1);
	put(card->bytes, 0x53, PCI_FEATURES_CAN_RESET, 1);
	put(card->writable, 0x54, 0xff, 1);
	put(card->bytes, 0x54, 0, 4);
	check(pci_reset(&config, CARD, &kept) && fake_read(CARD, 0x54, 1) == PCI_FEATURES_RESET);
}

// The controller behind the bridge has a table of messages in its BAR 5, and structures of virtio.
static void passed(void) {
	struct pci_passed found;
	struct function *each;
	unsigned size;

	set_up();
	each = find(BEHIND);
	add_capability(each, PCI_CAPABILITY_MSIX);
	put(each->bytes, 0x52, 0x8000 | 64, 2);
	put(each->bytes, 0x54, 0x800 | 5, 4);
	check(pci_pass(&config, &devices.rows[index_of(BEHIND)], &found) == 0x3000);
	check(found.bars[0].address == 0xe0000000 && found.bars[0].offset == 0 &&
		found.bars[0].size == 0x2000 && found.bars[1].size == 0);
	check(found.bars[5].address == 0xe0010000 && found.bars[5].offset == 0x2000);
	check(found.table.bar == 5 && found.table.offset == 0x800 && found.table.count == 65);
	check(pci_passed_directly(&found, 0, 0x1000) && !pci_passed_directly(&found, 5, 0));
	check(pci_passed_flags(base_of(BEHIND, 0)) ==
		(PCI_BAR_IS_64_BIT | PCI_BAR_IS_PREFETCHABLE));
	check(pci_passed_flags(base_of(BEHIND, 5)) == 0);
	// A table from the end of a page into the next one; and one in a BAR that is not passed.
	put(each->bytes, 0x54, 0xff8, 4);
	pci_pass(&config, &devices.rows[index_of(BEHIND)], &found);
	check(!pci_passed_directly(&found, 0, 0) && !pci_passed_directly(&found, 0, 0x1000) &&
		pci_passed_directly(&found, 5, 0));
	put(each->bytes, 0x54, 3, 4);
	pci_pass(&config, &devices.rows[index_of(BEHIND)], &found);
	check(found.table.count == 0 && pci_passed_directly(&found, 5, 0));
	put(each->bytes, 0x54, 0x807, 4); // in none: the device is left with one message
	pci_pass(&config, &devices.rows[index_of(BEHIND)], &found);
	check(found.table.count == 0 && found.table.bar == 0 && found.table.offset == 0);
	// Sizes whose sum would begin again at 0.
	for (unsigned i = 0; i < PCI_BARS; i += 5)
		devices.rows[index_of(BEHIND)].bases[i].size = 1ul << 63;
	check(pci_pass(&config, &devices.rows[index_of(BEHIND)], &found) >= 1ul << 63);
	// Ports, and what shares a page.
	add_bar(find(CARD), 0, 0xfebc0000, 1 << 8);
	pci_scan(&config, &devices);
	check(pci_pass(&config, &devices.rows[index_of(CARD)], &found) == 0);
	check(pci_passed_structure(&config, &devices.rows[index_of(BEHIND)], 0, &size) == 0);
	put(each->bytes, PCI_REGISTER_VENDOR, 0x1af4, 2);
	put(each->bytes, 0x50, 0x05106009, 4); // leads to BARs
	put(each->bytes, 0x60, 0x01107009, 4);
	put(each->bytes, 0x70, 0x02140009, 4);
	pci_scan(&config, &devices);
	check(pci_passed_structure(&config, &devices.rows[index_of(BEHIND)], 0, &size) == 0x60 &&
		size == 16);
	check(pci_passed_structure(&config, &devices.rows[index_of(BEHIND)], 1, &size) == 0x70 &&
		size == 20);
	check(pci_passed_structure(&config, &devices.rows[index_of(BEHIND)], 2, &size) == 0);
	put(each->bytes, 0x70, 0x02ff6009, 4); // longer than there are registers, and a loop
	check(pci_passed_structure(&config, &devices.rows[index_of(BEHIND)], 64, &size) == 0);
	check(wrong_accesses == 0);
}

static void msix(void) {
	struct function *card;

	set_up();
	card = find(CARD);
	check(!pci_msix_set(&config, CARD, true));
	add_capability(card, PCI_CAPABILITY_MSIX);
	put(card->bytes, 0x52, PCI_MSIX_ALL_MASKED | 3, 2);
	put(card->writable, 0x52, 0xc000, 2);
	check(pci_msix_set(&config, CARD, true));
	check(fake_read(CARD, 0x52, 2) == (PCI_MSIX_ENABLE | 3));
	check(pci_msix_set(&config, CARD, false) && fake_read(CARD, 0x52, 2) == 3);
}

static const struct test rows[] = {
	{"user/pci/scan", "all devices are found and sized, and are as before", scan},
	{"user/pci/scan-loop", "bridges that lead back end the scan", scan_loop},
	{"user/pci/grants", "each device goes to one client at most", grants},
	{"user/pci/wrong-grants", "a wrong line is named and gives nothing", wrong_grants},
	{"user/pci/places", "a device goes nowhere where something else is", places},
	{"user/pci/move", "a device moves while it does not decode", move},
	{"user/pci/memory-map", "memory and what firmware reserves is no place", memory_map},
	{"user/pci/registers", "clients write what cannot harm others", registers},
	{"user/pci/groups", "devices that an IOMMU does not tell apart are known", groups},
	{"user/pci/passed", "a guest reaches registers, and no table of messages", passed},
	{"user/pci/msix", "messages by a table are switched on and off", msix},
	{"user/pci/reset", "a device is stopped; a reset keeps what it was given", reset},
	{"user/pci/msi", "a message interrupt has the vector of the grant", msi},
};

const struct tests pci_tests = {rows, array_count(rows)};
